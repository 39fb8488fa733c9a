#include "src/render_plan.h"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <fmt/format.h>
#include <sys/stat.h>
#include <xxhash.h>

namespace lacquer {
namespace {

XXH128_hash_t hash_of(const std::string& text) {
    return XXH3_128bits(text.data(), text.size());
}

const char* format_name(dsp::SampleFormat format) {
    return format == dsp::SampleFormat::s16 ? "s16" : format == dsp::SampleFormat::s24 ? "s24" : "f32";
}

}  // namespace

SourceFile look_at(const std::filesystem::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        throw media::DecodeError("cannot look at the file", {errno, std::generic_category()});
    return {path, static_cast<std::uint64_t>(status.st_size),
            std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

bool RenderPlan::dither() const noexcept {
    if (format == dsp::SampleFormat::f32) return false;
    const int bits = static_cast<int>(8 * dsp::bytes_per_sample(format));
    return !(recipe.bypass && media.integer_bits > 0 && media.integer_bits <= bits);
}

WavShape RenderPlan::wav_shape() const noexcept {
    return {media.sample_rate_hz, media.channels, format, grid.frame_count()};
}

PlanPtr make_plan(RenderPlan plan) {
    const XXH128_hash_t hash = hash_of(fmt::format("{}\n{}\n{}\n{}\n{}", plan.content_id, plan.recipe_id,
                                                   plan.engine_id, format_name(plan.format), plan.dither()));
    plan.fingerprint = fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
    return std::make_shared<const RenderPlan>(std::move(plan));
}

std::uint64_t chunk_owner(std::string_view content_id, std::string_view engine_id) {
    const std::uint64_t content = XXH3_64bits(content_id.data(), content_id.size());
    return XXH3_64bits_withSeed(engine_id.data(), engine_id.size(), content);
}

std::uint64_t chunk_owner(const cache::ChunkKey& key) {
    XXH64_canonical_t canonical;
    std::memcpy(canonical.digest, key.data(), sizeof canonical.digest);
    return XXH64_hashFromCanonical(&canonical);
}

cache::ChunkKey RenderPlan::key(std::int64_t index) const {
    const std::string what = fingerprint + std::to_string(index);
    XXH64_canonical_t owner;
    XXH64_canonical_t chunk;
    XXH64_canonicalFromHash(&owner, chunk_owner(content_id, engine_id));
    XXH64_canonicalFromHash(&chunk, XXH3_64bits(what.data(), what.size()));
    cache::ChunkKey key;
    static_assert(sizeof key == sizeof owner + sizeof chunk);
    std::memcpy(key.data(), owner.digest, sizeof owner.digest);
    std::memcpy(key.data() + sizeof owner, chunk.digest, sizeof chunk.digest);
    return key;
}

std::string engine_id(const dsp::GridSettings& grid, const media::MediaInfo& media) {
    return fmt::format("render={};{};{}", kRenderVersion, dsp::grid_id(grid), media.decoder);
}

ChunkLayout chunk_layout(const RenderPlan& plan, std::int64_t index) {
    return {plan.grid.span(index), plan.wav_shape().frame_bytes(), plan.channels() * sizeof(float)};
}

}  // namespace lacquer
