// The tables, as the steps that lead to them.
#pragma once

#include <span>

namespace lacquer::library {

// Step n (from 0) turns a database with user_version n into one with n + 1. Steps that were released are never
// changed; a new one is appended.
std::span<const char* const> migrations();

}  // namespace lacquer::library
