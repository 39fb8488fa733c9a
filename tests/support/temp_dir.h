// A directory of its own for one test, removed with everything in it at the end.
#pragma once

#include <filesystem>
#include <string>

namespace lacquer::test {

class TempDir {
public:
    TempDir();  // throws std::system_error
    ~TempDir();
    TempDir(const TempDir&) = delete;  // two owners would remove it twice
    TempDir& operator=(const TempDir&) = delete;

    const std::filesystem::path& path() const noexcept { return path_; }
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

}  // namespace lacquer::test
