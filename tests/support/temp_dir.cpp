#include "tests/support/temp_dir.h"

#include <cerrno>
#include <system_error>

#include <stdlib.h>

namespace lacquer::test {

TempDir::TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "lacquer-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), "mkdtemp");
    path_ = name;
}

TempDir::~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace lacquer::test
