// Opening what a name stood for when it was looked at, and nothing that it leads to meanwhile: whoever may write into a
// folder of music must not be able to have other files read by putting a symbolic link in place of a file or a folder.
#pragma once

#include <filesystem>

namespace lacquer::media {

// open(2) of an existing file for reading, or with O_PATH, that fails with ELOOP or ENOTDIR when any component of
// `file` is a symbolic link; close-on-exec, and never waiting for the other end of a pipe. -1 with errno when it fails.
int open_without_links(const std::filesystem::path& file, int flags) noexcept;

// The same one directory at a time, for kernels without openat2(2).
int open_by_components(const std::filesystem::path& file, int flags) noexcept;

}  // namespace lacquer::media
