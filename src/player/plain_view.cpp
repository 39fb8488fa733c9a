#include "src/player/plain_view.h"

#include "src/player/event_text.h"
#include "src/player/screen_text.h"
#include "src/player/status_lines.h"

namespace lacquer::player {

void PlainView::tell(const std::string& line) const {
    write_all(output_, line + "\n", go_on_);
}

void PlainView::warn(const std::string& line) const {
    write_all(errors_, "lacquer: " + line + "\n", go_on_);
}

void PlainView::track_started(const PlayerStatus& status) {
    ++played_;
    tell(started_text(status));
}

void PlainView::track_skipped(const std::string& name, const std::string& reason) {
    ++skipped_;
    warn(skipped_text(name, reason));
}

void PlainView::switched(const PlayerStatus& status, const PlayerCommand& command) {
    tell(switched_text(status, command));
}

void PlainView::refused(const PlayerCommand&, const std::string& reason) {
    warn(printable(reason));
}

void PlainView::underrun(const PlayerStatus& status) {
    warn("underrun at " + time_text(status.position_seconds));
}

void PlainView::device_lost(const std::string& device, const std::string& reason) {
    warn(lost_text(device, reason));
}

void PlainView::device_opened(const PlayerStatus& status) {
    tell(opened_text(status));
}

void PlainView::message(const std::string& text) {
    warn(printable(text));
}

void PlainView::ended(const PlayerStatus& status) {
    tell(ended_text(played_, skipped_, status));
}

}  // namespace lacquer::player
