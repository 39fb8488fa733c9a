#include "src/player/play_command.h"

#include <chrono>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <thread>

#include <fmt/format.h>

#include "src/library/tags.h"
#include "src/offline.h"
#include "src/player/exit_codes.h"
#include "src/player/inputs.h"
#include "src/player/json_view.h"
#include "src/player/keys.h"
#include "src/player/message_box.h"
#include "src/player/plain_view.h"
#include "src/player/player.h"
#include "src/player/portaudio_system.h"
#include "src/player/status_view.h"
#include "src/player/terminal.h"
#include "src/player/url_input.h"

namespace lacquer::player {
namespace {

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

class Playing {
public:
    Playing(Offline& offline, const PlayCommand& command, MessageBox& messages)
        : offline_(offline), command_(command), messages_(messages) {}

    int run();

private:
    TrackPtr load(std::size_t index, const std::function<bool()>& wanted);
    std::vector<PlayerCommand> commands(std::chrono::milliseconds patience);
    PlayerSettings settings() const;

    Offline& offline_;
    const PlayCommand& command_;
    MessageBox& messages_;
    std::vector<Input> inputs_;
    std::optional<Terminal> terminal_;
    KeyParser keys_;
    StatusView* status_view_ = nullptr;
};

}  // namespace

double parse_time(const std::string& text) {
    double seconds = 0.0;
    std::istringstream in(text);
    int parts = 0;
    for (std::string part; std::getline(in, part, ':'); ++parts) {
        char* end = nullptr;
        const double value = std::strtod(part.c_str(), &end);
        const bool is_number = !part.empty() && *end == '\0' && value >= 0.0 && value < 1e6 && (parts == 0 || value < 60);
        if (!is_number || parts == 3) {
            throw SettingError(fmt::format("--start is '{}'; allowed: seconds, 1:30 or 1:02:03", text));
        }
        seconds = 60.0 * seconds + value;
    }
    return seconds;
}

}  // namespace lacquer::player
