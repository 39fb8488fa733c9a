#include "src/media/sndfile_format.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include <dlfcn.h>

namespace lacquer::media {
namespace {

struct Container {
    int major;
    const char* name;
};
constexpr Container kContainers[] = {
    {SF_FORMAT_WAV, "wav"},   {SF_FORMAT_WAVEX, "wav"}, {SF_FORMAT_RF64, "rf64"},
    {SF_FORMAT_W64, "w64"},   {SF_FORMAT_AIFF, "aiff"}, {SF_FORMAT_AU, "au"},
    {SF_FORMAT_FLAC, "flac"}, {SF_FORMAT_OGG, "ogg"},   {SF_FORMAT_CAF, "caf"},
};

// Vorbis: two blocks of the longest (8192) overlap. Opus: its state, partly in integers, forgets where decoding began
// within 80 ms to the ear (RFC 7845, section 4.6), but not always within 4 s to the last bit.
constexpr std::int64_t kVorbisPreroll = 16384;
constexpr std::int64_t kOpusPreroll = 24000;
constexpr std::int64_t kOpusRestart = 5 * 48000;

constexpr SndfileCodec kCodecs[] = {
    {SF_FORMAT_PCM_S8, 8, 0, 0},
    {SF_FORMAT_PCM_U8, 8, 0, 0},
    {SF_FORMAT_PCM_16, 16, 0, 0},
    {SF_FORMAT_PCM_24, 24, 0, 0},
    {SF_FORMAT_PCM_32, 32, 0, 0},
    {SF_FORMAT_FLOAT, 0, 0, 0},
    {SF_FORMAT_DOUBLE, 0, 0, 0},
    {SF_FORMAT_ULAW, 0, 0, 0},
    {SF_FORMAT_ALAW, 0, 0, 0},
    {SF_FORMAT_IMA_ADPCM, 0, 0, 0},
    {SF_FORMAT_MS_ADPCM, 0, 0, 0},
    {SF_FORMAT_ALAC_16, 16, 0, 0},
    {SF_FORMAT_ALAC_20, 24, 0, 0},
    {SF_FORMAT_ALAC_24, 24, 0, 0},
    {SF_FORMAT_ALAC_32, 32, 0, 0},
    {SF_FORMAT_VORBIS, 0, kVorbisPreroll, 0},
    {SF_FORMAT_OPUS, 0, kOpusPreroll, kOpusRestart},
};

Speaker speaker_of(int channel_map) {
    switch (channel_map) {
        case SF_CHANNEL_MAP_LEFT:
        case SF_CHANNEL_MAP_FRONT_LEFT:
            return Speaker::left;
        case SF_CHANNEL_MAP_RIGHT:
        case SF_CHANNEL_MAP_FRONT_RIGHT:
            return Speaker::right;
        case SF_CHANNEL_MAP_MONO:
        case SF_CHANNEL_MAP_CENTER:
        case SF_CHANNEL_MAP_FRONT_CENTER:
        case SF_CHANNEL_MAP_TOP_FRONT_CENTER:
            return Speaker::centre;
        case SF_CHANNEL_MAP_LFE:
            return Speaker::lfe;
        case SF_CHANNEL_MAP_REAR_CENTER:
        case SF_CHANNEL_MAP_TOP_CENTER:
        case SF_CHANNEL_MAP_TOP_REAR_CENTER:
            return Speaker::centre_surround;
        case SF_CHANNEL_MAP_REAR_LEFT:
        case SF_CHANNEL_MAP_SIDE_LEFT:
        case SF_CHANNEL_MAP_FRONT_LEFT_OF_CENTER:
        case SF_CHANNEL_MAP_TOP_FRONT_LEFT:
        case SF_CHANNEL_MAP_TOP_REAR_LEFT:
            return Speaker::left_surround;
        case SF_CHANNEL_MAP_REAR_RIGHT:
        case SF_CHANNEL_MAP_SIDE_RIGHT:
        case SF_CHANNEL_MAP_FRONT_RIGHT_OF_CENTER:
        case SF_CHANNEL_MAP_TOP_FRONT_RIGHT:
        case SF_CHANNEL_MAP_TOP_REAR_RIGHT:
            return Speaker::right_surround;
        default:
            return Speaker::none;
    }
}

// Empty when the file does not say, or names no speaker that would be heard.
ChannelLayout layout_in_file(SNDFILE* file, std::size_t channels) {
    std::vector<int> map(channels);
    const int bytes = static_cast<int>(channels * sizeof(int));
    if (sf_command(file, SFC_GET_CHANNEL_MAP_INFO, map.data(), bytes) != SF_TRUE) return {};
    ChannelLayout layout(channels);
    std::transform(map.begin(), map.end(), layout.begin(), speaker_of);
    const bool audible =
        std::any_of(layout.begin(), layout.end(), [](Speaker s) { return s != Speaker::none && s != Speaker::lfe; });
    return audible ? layout : ChannelLayout{};
}

// libsndfile's codecs decide the bits of lossy files, but are linked by it, not by us.
std::string version_of(const char* function) {
    void* const symbol = dlsym(RTLD_DEFAULT, function);
    return symbol != nullptr ? std::string(" ") + reinterpret_cast<const char* (*)()>(symbol)() : std::string();
}

}  // namespace

SndfileCodec sndfile_codec(int format) noexcept {
    const int subtype = format & SF_FORMAT_SUBMASK;
    const auto* found = std::find_if(std::begin(kCodecs), std::end(kCodecs),
                                     [subtype](const SndfileCodec& codec) { return codec.subtype == subtype; });
    return found != std::end(kCodecs) ? *found : SndfileCodec{subtype, 0, kPrerollFromStart, 0};
}

const char* sndfile_format_name(int format) noexcept {
    if ((format & SF_FORMAT_SUBMASK) == SF_FORMAT_OPUS) return "opus";
    const int major = format & SF_FORMAT_TYPEMASK;
    const auto* found = std::find_if(std::begin(kContainers), std::end(kContainers),
                                     [major](const Container& container) { return container.major == major; });
    return found != std::end(kContainers) ? found->name : nullptr;
}

ChannelLayout sndfile_layout(SNDFILE* file, const SF_INFO& info) {
    const auto channels = static_cast<std::size_t>(info.channels);
    ChannelLayout named = layout_in_file(file, channels);
    if (!named.empty()) return named;
    return (info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_OGG ? vorbis_layout(channels) : wave_layout(channels);
}

std::string sndfile_decoder_name(int format) {
    const int subtype = format & SF_FORMAT_SUBMASK;
    std::string name = sf_version_string();
    if (subtype == SF_FORMAT_OPUS) name += version_of("opus_get_version_string");
    if (subtype == SF_FORMAT_VORBIS) name += version_of("vorbis_version_string");
    return name;
}

}  // namespace lacquer::media
