#include "src/library/examine.h"

#include "src/library/tags.h"
#include "src/library/text.h"

namespace lacquer::library {
namespace {

void read_content(Track& track, const Probe& probe) {
    try {
        track.content_id = content_id(track.path);
        read_tags(track.path, track);
        track.media = probe(track.path);
    } catch (const media::DecodeError& error) {
        if (error.code()) track.content_id.clear();  // of the disk, not of the content: examined again at the next scan
        track.error = clean_text(error.what());
    } catch (const std::filesystem::filesystem_error& error) {
        track.error = "cannot be read: " + error.code().message();
    }
}

}  // namespace

Track examine(const std::filesystem::path& file, const Probe& probe) {
    Track track;
    track.path = file;
    read_content(track, probe);
    if (track.title.empty()) track.title = clean_text(file.stem().native());
    return track;
}

}  // namespace lacquer::library
