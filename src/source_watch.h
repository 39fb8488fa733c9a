// Tells whether a source still is the file that its plan was made for: the same inode at the same path, untouched.
//
// Threads: one instance per run, not thread-safe. Holds one descriptor.
#pragma once

#include "src/media/decoder.h"
#include "src/render_plan.h"

namespace lacquer {

// The file was written to, replaced or removed. New requests see what is there now; what was begun cannot go on.
class SourceChanged : public media::DecodeError {
public:
    using DecodeError::DecodeError;
};

class SourceWatch {
public:
    // Throws SourceChanged when the file is another one than `source`, media::DecodeError when it cannot be opened.
    explicit SourceWatch(const SourceFile& source);
    ~SourceWatch();
    SourceWatch(const SourceWatch&) = delete;  // two owners of one descriptor
    SourceWatch& operator=(const SourceWatch&) = delete;

    // Whoever opened the path between construction and this has the same file. Throws SourceChanged.
    void check_path() const;
    // What was read until now was the file's old content. Throws SourceChanged. One fstat().
    void check_content() const;

private:
    const SourceFile source_;
    int descriptor_ = -1;
};

}  // namespace lacquer
