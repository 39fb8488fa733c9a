#include "src/player/play_command.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "src/library/tags.h"
#include "src/offline.h"
#include "src/player/exit_codes.h"
#include "src/player/inputs.h"
#include "src/player/json_view.h"
#include "src/player/keys.h"
#include "src/player/message_box.h"
#include "src/player/plain_view.h"
#include "src/player/player.h"
#include "src/player/playlist.h"
#include "src/player/portaudio_system.h"
#include "src/player/status_view.h"
#include "src/player/terminal.h"
#include "src/player/url_input.h"
#include "thread/mutex.h"

namespace lacquer::player {
namespace {

namespace fs = std::filesystem;

// "Artist - Title" where the file says so.
std::string title_of(const std::filesystem::path& file, const std::string& otherwise) {
    library::Track tags;
    try {
        library::read_tags(file, tags);
    } catch (const std::exception&) {  // it need not be tagged to be played
    }
    if (tags.title.empty()) return otherwise;
    return tags.artist.empty() ? tags.title : tags.artist + " - " + tags.title;
}

// The view that fits where the output goes.
class Screen {
public:
    Screen(bool json, const GoOn& go_on) {
        if (json) {
            json_ = show<JsonView>(STDOUT_FILENO, go_on);
        } else if (can_draw_on()) {
            terminal_.emplace(Cursor::hidden, STDIN_FILENO, STDOUT_FILENO, go_on);
            status_ = show<StatusView>(*terminal_, style_of_environment());
        } else {
            show<PlainView>(STDOUT_FILENO, STDERR_FILENO, go_on);
        }
        if (!terminal_) terminal_.emplace(Cursor::shown);
    }
    PlayerListener& listener() { return *view_; }
    bool is_watched() const { return json_ == nullptr || !json_->is_closed(); }
    std::vector<PlayerCommand> commands(std::chrono::milliseconds patience) {
        if (!terminal_->has_keys()) {
            std::this_thread::sleep_for(patience);
            return {};
        }
        const std::string typed = terminal_->read_keys(patience);
        auto commands = keys_.parse(typed);
        if (keys_.take_help() && status_ != nullptr) status_->toggle_keys();
        return commands;
    }

private:
    template <class View, class... Arguments>
    View* show(Arguments&&... arguments) {
        auto view = std::make_unique<View>(std::forward<Arguments>(arguments)...);
        View* const shown = view.get();
        view_ = std::move(view);
        return shown;
    }

    std::optional<Terminal> terminal_;  // outlives the view
    KeyParser keys_;
    std::unique_ptr<PlayerListener> view_;
    JsonView* json_ = nullptr;      // the view, where it is one
    StatusView* status_ = nullptr;  // the same
};

class Playing {
public:
    Playing(Offline& offline, const PlayCommand& command, MessageBox& messages)
        : offline_(offline), command_(command), messages_(messages) {}

    int run() {
        PortAudioSystem sound;
        PlayerSettings settings = player_settings();
        find_device(sound, settings.device, Direction::output);  // before anything is fetched or measured
        Inputs inputs = expand_inputs(
            command_.inputs,
            {.fetch = [this](const Url& url) { return fetch_text(url, fetch_options(kMaxPlaylistBytes)); },
             .cancelled = [this] { return interrupted(); }});
        inputs_ = std::move(inputs.items);
        const bool any_url = std::any_of(inputs_.begin(), inputs_.end(),
                                         [](const Input& input) { return std::holds_alternative<Url>(input.source); });
        if (any_url) urls_.emplace(fetch_options(FetchOptions{}.max_bytes));
        failed_ = inputs.problems.size();
        int code = kDone;
        bool all_stopped = false;
        {
            Screen screen(command_.json, [this] { return !interrupted(); });
            for (const InputProblem& problem : inputs.problems) {
                screen.listener().track_skipped(problem.name, problem.reason);
            }
            Player player(surroundings(sound, screen), std::move(settings), inputs_.size(),
                          [this](std::size_t index, const auto& wanted) { return load(index, wanted); });
            code = run(player);
            all_stopped = player.stop();
        }
        if (!problem_.empty()) fmt::print(stderr, "lacquer: {}\n", problem_);
        if (!all_stopped) {
            if (urls_) urls_->remove_files();
            offline_.end_process(code);
        }
        return code;
    }

private:
    // The exit code; an error is said when the terminal is as it was.
    int run(Player& player) {
        try {
            failed_ += player.run();
            return exit_code();
        } catch (const SoundError& error) {
            problem_ = error.what();
            return exit_code_of(error.reason());
        }
    }

    PlayerSettings player_settings() const {
        const Settings& settings = offline_.settings();
        return {.device = command_.device.value_or(settings.play_device),
                .latency_ms = command_.latency_ms.value_or(settings.play_latency_ms),
                .rate_hz = command_.rate_hz,
                .quality = settings.play_resampler,
                .grid = settings.grid,
                .start = {0, command_.start_seconds, command_.choice},
                .shows_reduction = command_.json || can_draw_on()};
    }

    Player::Surroundings surroundings(SoundSystem& sound, Screen& screen) {
        return {.chunks = offline_.chunks(),
                .sound = sound,
                .listener = screen.listener(),
                .commands = [&screen](std::chrono::milliseconds patience) { return screen.commands(patience); },
                .messages = [this] { return messages_.take(); },
                .go_on = [this, &screen] { return !interrupted() && screen.is_watched(); },
                .name_of = [this](std::size_t track) { return inputs_.at(track).name; }};
    }

    // On the loader's thread.
    TrackPtr load(std::size_t index, const std::function<bool()>& wanted) {
        const Input& given = inputs_.at(index);
        auto track = std::make_shared<PlayableTrack>();
        track->index = index;
        track->name = given.name;
        const auto* local = std::get_if<fs::path>(&given.source);
        const fs::path file = local != nullptr ? *local : fetch(index, *track, wanted);
        track->input = look_at_input(file);
        const std::string name = fs::path(given.name).filename().string();
        track->title = title_of(file, given.title.empty() ? name : given.title);
        track->profile = offline_.profile_to_play(track->input, wanted);
        return track;
    }

    fs::path fetch(std::size_t index, PlayableTrack& track, const std::function<bool()>& wanted) {
        const Url& url = std::get<Url>(inputs_.at(index).source);
        if (!urls_->is_ready(url)) messages_.put("fetching " + track.name);
        auto fetched = std::make_shared<FetchedInput>(urls_->take(url, wanted));
        const Url* next = index + 1 < inputs_.size() ? std::get_if<Url>(&inputs_[index + 1].source) : nullptr;
        if (next != nullptr) urls_->prepare(*next);
        track.already_enhanced = fetched->file().is_enhanced;
        track.file = fetched;
        return fetched->file().path;
    }

    FetchOptions fetch_options(std::uint64_t max_bytes) {
        FetchOptions options;
        options.max_bytes = max_bytes;
        options.cancelled = [this] { return interrupted(); };
        options.retrying = [this](const std::string& what) { messages_.put(what); };
        return options;
    }

    bool interrupted() const { return offline_.interruption().requested(); }
    int exit_code() const {
        if (interrupted()) return offline_.interruption().exit_code();
        return failed_ > 0 ? kSomeFailed : kDone;
    }

    Offline& offline_;
    const PlayCommand& command_;
    MessageBox& messages_;
    std::vector<Input> inputs_;
    std::optional<UrlInputs> urls_;
    std::size_t failed_ = 0;
    std::string problem_;
};

}  // namespace

int play(const Settings& settings, const PlayCommand& command) {
    MessageBox messages;
    const OfflineOptions options{.falls_back = true, .tell = [&](const std::string& text) { messages.put(text); }};
    return run_offline(
        settings,
        [&](Offline& offline) {
            try {
                return Playing(offline, command, messages).run();
            } catch (const SoundError& error) {
                fmt::print(stderr, "lacquer: {}\n", error.what());
                return static_cast<int>(exit_code_of(error.reason()));
            }
        },
        options);
}

double parse_time(const std::string& text) {
    double seconds = 0.0;
    std::istringstream in(text);
    int parts = 0;
    for (std::string part; std::getline(in, part, ':'); ++parts) {
        char* end = nullptr;
        const double value = std::strtod(part.c_str(), &end);
        const bool is_number =
            !part.empty() && *end == '\0' && value >= 0.0 && value < 1e6 && (parts == 0 || value < 60);
        if (!is_number || parts == 3) {
            throw SettingError(fmt::format("--start is '{}'; allowed: seconds, 1:30 or 1:02:03", text));
        }
        seconds = 60.0 * seconds + value;
    }
    return seconds;
}

}  // namespace lacquer::player
