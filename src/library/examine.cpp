#include "src/library/examine.h"

#include "src/library/tags.h"
#include "src/library/text.h"

namespace lacquer::library {
namespace {

void read_content(Track& track) {
    try {
        track.content_id = content_id(track.path);
        read_tags(track.path, track);
        track.media = media::probe(track.path);
    } catch (const media::DecodeError& error) {
        track.error = clean_text(error.what());
    } catch (const std::filesystem::filesystem_error& error) {
        track.error = "cannot be read: " + error.code().message();
    }
}

}  // namespace

Track examine(const std::filesystem::path& file) {
    Track track;
    track.path = file;
    read_content(track);
    if (track.title.empty()) track.title = clean_text(file.stem().native());
    return track;
}

}  // namespace lacquer::library
