#include "src/library/tags.h"

#include <charconv>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <fileref.h>
#include <tfilestream.h>
#include <tpropertymap.h>

#include "src/library/text.h"
#include "src/media/open_file.h"

namespace lacquer::library {
namespace {

std::string text(const TagLib::PropertyMap& tags, const char* name) {
    if (!tags.contains(name)) return {};
    return clean_text(tags[name].toString("; ").to8Bit(true));
}

// TagLib opens files by name and chooses their format by it: this one is opened already and has the name only.
class NamedStream : public TagLib::FileStream {
public:
    NamedStream(int descriptor, const std::filesystem::path& name)
        : TagLib::FileStream(descriptor, true), name_(name) {}
    TagLib::FileName name() const override { return name_.c_str(); }

private:
    const std::filesystem::path& name_;
};

// The number a text begins with: 3 of "3/12", 1999 of "1999-05-01"; 0 when there is none in [0, most].
int leading_number(std::string_view text, int most) {
    int number = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    return result.ec == std::errc() && number > 0 && number <= most ? number : 0;
}

}  // namespace

void read_tags(const std::filesystem::path& file, Track& track) {
    const int descriptor = media::open_without_links(file, O_RDONLY);
    if (descriptor < 0) return;
    NamedStream stream(descriptor, file);
    if (!stream.isOpen()) return;
    const TagLib::FileRef tagged(&stream, false);
    if (tagged.isNull()) return;
    const TagLib::PropertyMap tags = tagged.file()->properties();
    track.title = text(tags, "TITLE");
    track.artist = text(tags, "ARTIST");
    track.album = text(tags, "ALBUM");
    track.album_artist = text(tags, "ALBUMARTIST");
    track.genre = text(tags, "GENRE");
    track.track_number = leading_number(text(tags, "TRACKNUMBER"), 99'999);
    track.disc_number = leading_number(text(tags, "DISCNUMBER"), 99'999);
    track.year = leading_number(text(tags, "DATE").substr(0, 4), 9'999);
}

}  // namespace lacquer::library
