#include "tests/support/allocation_guard.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

thread_local std::size_t allocated = 0;
thread_local std::size_t freed = 0;

void* allocate(std::size_t bytes) noexcept {
    ++allocated;
    return std::malloc(std::max<std::size_t>(bytes, 1));
}

void* allocate(std::size_t bytes, std::align_val_t alignment) noexcept {
    ++allocated;
    const auto align = static_cast<std::size_t>(alignment);
    return std::aligned_alloc(align, (std::max<std::size_t>(bytes, 1) + align - 1) / align * align);
}

void* or_throw(void* memory) {
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

void release(void* memory) noexcept {
    freed += memory != nullptr;
    std::free(memory);
}

}  // namespace

void* operator new(std::size_t n) {
    return or_throw(allocate(n));
}
void* operator new[](std::size_t n) {
    return or_throw(allocate(n));
}
void* operator new(std::size_t n, std::align_val_t a) {
    return or_throw(allocate(n, a));
}
void* operator new[](std::size_t n, std::align_val_t a) {
    return or_throw(allocate(n, a));
}
void* operator new(std::size_t n, const std::nothrow_t&) noexcept {
    return allocate(n);
}
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept {
    return allocate(n);
}
void* operator new(std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
    return allocate(n, a);
}
void* operator new[](std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
    return allocate(n, a);
}
void operator delete(void* p) noexcept {
    release(p);
}
void operator delete[](void* p) noexcept {
    release(p);
}
void operator delete(void* p, std::size_t) noexcept {
    release(p);
}
void operator delete[](void* p, std::size_t) noexcept {
    release(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
    release(p);
}
void operator delete[](void* p, std::align_val_t) noexcept {
    release(p);
}
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
    release(p);
}
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept {
    release(p);
}
void operator delete(void* p, const std::nothrow_t&) noexcept {
    release(p);
}
void operator delete[](void* p, const std::nothrow_t&) noexcept {
    release(p);
}
void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept {
    release(p);
}
void operator delete[](void* p, std::align_val_t, const std::nothrow_t&) noexcept {
    release(p);
}

namespace lacquer::test {

AllocationGuard::AllocationGuard() noexcept : allocated_before_(allocated), freed_before_(freed) {}

std::size_t AllocationGuard::count() const noexcept {
    return allocated - allocated_before_;
}
std::size_t AllocationGuard::freed_count() const noexcept {
    return freed - freed_before_;
}

}  // namespace lacquer::test
