// How the commands that need a sound card end.
#pragma once

#include "src/player/sound_system.h"

namespace lacquer::player {

enum ExitCode : int {
    kDone = 0,
    kSomeFailed = 1,   // some of the inputs; the others were played
    kUsage = 2,        // the command line makes no sense
    kNoDevice = 3,     // no sound card, or none of that name
    kDeviceBusy = 4,   // another program has it
    kUnsupported = 5,  // the card does neither this rate nor its own, or not these channels
    kDeviceFailed = 6,
};

constexpr ExitCode exit_code_of(SoundError::Reason reason) noexcept {
    switch (reason) {
        case SoundError::Reason::no_device:
            return kNoDevice;
        case SoundError::Reason::busy:
            return kDeviceBusy;
        case SoundError::Reason::unsupported:
            return kUnsupported;
        case SoundError::Reason::failed:
            break;
    }
    return kDeviceFailed;
}

}  // namespace lacquer::player
