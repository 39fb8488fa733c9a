// Counts what the calling thread allocates through operator new while the guard lives. Replaces the global operators
// of any test program that is linked with it.
#pragma once

#include <cstddef>

namespace lacquer::test {

class AllocationGuard {
public:
    AllocationGuard() noexcept;
    AllocationGuard(const AllocationGuard&) = delete;  // it measures from its own construction on
    AllocationGuard& operator=(const AllocationGuard&) = delete;

    std::size_t count() const noexcept;        // calls of operator new, every form
    std::size_t freed_count() const noexcept;  // calls of operator delete on a pointer that is not null

private:
    std::size_t allocated_before_;
    std::size_t freed_before_;
};

}  // namespace lacquer::test
