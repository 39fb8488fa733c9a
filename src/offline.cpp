#include "src/offline.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include "src/library/library.h"
#include "src/profile_json.h"

namespace lacquer {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPrivateCacheBytes = 256'000'000;

// Only reads: a library that is not there, busy or damaged just means that the file is measured.
std::optional<dsp::Profile> profile_in_library(const Settings& settings, const InputFile& input) {
    const fs::path database = settings.state_dir / "library.db";
    if (!fs::exists(database)) return std::nullopt;
    try {
        const library::Library library(database, {});
        library::Track track;
        track.content_id = input.content_id;
        track.media = input.media;
        const auto text = library.profile_text(track);
        if (text) return profile_from_json(nlohmann::json::parse(*text));
    } catch (const std::exception&) {  // see above
    }
    return std::nullopt;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "lacquer-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder can be made at " + name);
    path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

InputFile look_at_input(const fs::path& path) {
    return {look_at(path), library::content_id(path), media::probe(path)};
}

fs::path Offline::cache_folder() {
    if (!cache::cache_owner(settings_.cache_dir)) return settings_.cache_dir;
    return temporary_.emplace().path();
}

Offline::Offline(const Settings& settings)
    : settings_(settings),
      cache_(cache_folder(),
             temporary_ ? std::min(kPrivateCacheBytes, settings.cache_size_bytes) : settings.cache_size_bytes),
      scheduler_(settings.workers),
      chunks_(cache_, scheduler_, *this),
      measurer_(scheduler_) {}

Offline::~Offline() {
    scheduler_.stop();
}

dsp::Profile Offline::profile(const InputFile& input) {
    if (auto known = profile_in_library(settings_, input)) return *known;
    return *measurer_.measure(input.file.path, input.media, TaskClass::listener, [] { return true; });
}

void Offline::chunk_complete(const RenderPlan& plan, std::int64_t index, const RenderReport& report,
                             std::span<const std::byte>) {
    if (report.silent_frames == 0) return;
    fmt::print(stderr, "lacquer: {}: chunk {}: the file ends early, {} frames are silence\n", plan.source.path.string(),
               index, report.silent_frames);
}

}  // namespace lacquer
