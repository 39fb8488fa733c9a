// The sound cards of this machine, through PortAudio 19.6: ALSA (and what ALSA can be a door to, such as PulseAudio and
// PipeWire), OSS, JACK.
//
// What the callback costs besides the callback itself: a few atomic numbers. It is asked for at most kLongestCallMs at
// a time whatever the latency; the thread is a real-time one where the system lets an ordinary thread become one.
// Streams keep the library up: one that hangs in its driver may outlive the system, and is let go when it comes back.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/player/sound_system.h"

namespace lacquer::player {

struct PortAudioLibrary;

class PortAudioSystem : public SoundSystem {
public:
    static constexpr double kLongestCallMs = 15.0;

    PortAudioSystem();  // throws SoundError (failed) when PortAudio cannot be started
    ~PortAudioSystem() override;

    const std::vector<SoundDevice>& devices() const override { return devices_; }
    // Takes tens of milliseconds. While a stream is open the list stays as it is. Throws SoundError like the
    // constructor.
    void rescan() override;
    bool supports(const StreamRequest& request) const override;  // asks the device: a busy one supports nothing
    std::unique_ptr<SoundStream> open(const StreamRequest& request, AudioCallback& callback) override;

    std::vector<std::string> hosts() const;  // the kinds of driver there are, with or without devices

private:
    void list_devices();

    std::shared_ptr<PortAudioLibrary> library_;  // shared with the streams; null: the last rescan has failed
    std::vector<SoundDevice> devices_;
};

}  // namespace lacquer::player
