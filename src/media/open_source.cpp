#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "src/media/container_header.h"
#include "src/media/decoder.h"
#include "src/media/mpeg_header.h"
#include "src/media/source.h"

namespace lacquer::media {
namespace {

constexpr int kWaveMpegLayer12 = 0x50;
constexpr int kWaveMpegLayer3 = 0x55;
constexpr std::string_view kMpegExtensions[] = {".mp3", ".mp2", ".mp1", ".mpga"};
constexpr std::string_view kSndfileExtensions[] = {".wav", ".wave", ".bwf",  ".w64", ".rf64", ".aif",  ".aiff", ".aifc",
                                                   ".au",  ".snd",  ".flac", ".ogg", ".oga",  ".opus", ".caf"};
constexpr std::string_view kSndfileMagic[] = {"RIFF", "RIFX", "RF64", "riff", "FORM",
                                              ".snd", "dns.", "fLaC", "OggS", "caff"};

bool is_one_of(auto&& names, std::string_view name) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

std::string lower_extension(const std::filesystem::path& file) {
    std::string extension = file.extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return extension;
}

bool is_for_sndfile(FileReader& file) {
    std::array<char, 4> magic{};
    file.read_at(0, std::as_writable_bytes(std::span(magic)));
    if (!is_one_of(kSndfileMagic, std::string_view(magic.data(), magic.size()))) return false;
    const int tag = wave_format_tag(file);
    return tag != kWaveMpegLayer12 && tag != kWaveMpegLayer3;
}

std::unique_ptr<Source> open_by_content(std::unique_ptr<FileReader> reader, const std::string& extension) {
    reader->drop_front(id3v2_bytes(*reader));
    if (reader->size_bytes() == 0) throw DecodeError("the file is empty");
    if (is_for_sndfile(*reader)) {
        repair_unset_wave_size(*reader);
        return open_sndfile_source(std::move(reader));
    }
    const auto first_frame = find_mpeg_audio(*reader);
    if (first_frame) reader->drop_front(*first_frame);
    if (first_frame || is_one_of(kMpegExtensions, extension)) return open_mpg123_source(std::move(reader));
    reader->throw_if_failed();
    throw DecodeError("no audio format is recognised in the file");
}

}  // namespace

bool has_audio_extension(const std::filesystem::path& file) {
    const std::string extension = lower_extension(file);
    return is_one_of(kMpegExtensions, extension) || is_one_of(kSndfileExtensions, extension);
}

std::unique_ptr<Source> open_source(const std::filesystem::path& file) {
    return open_by_content(std::make_unique<FileReader>(file), lower_extension(file));
}

}  // namespace lacquer::media
