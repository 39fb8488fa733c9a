#include "src/player/portaudio_system.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <portaudio.h>

#include "src/player/driver_remarks.h"
#include "src/player/portaudio_stream.h"
#include "src/player/screen_text.h"

namespace lacquer::player {
namespace {

SoundDevice device_at(int index) {
    const PaDeviceInfo& info = *Pa_GetDeviceInfo(index);
    const bool plays = info.maxOutputChannels > 0;
    SoundDevice device;
    device.index = index;
    device.name = printable(info.name);  // any program can be a JACK device, and call itself what it likes
    device.host_api = Pa_GetHostApiInfo(info.hostApi)->name;
    device.input_channels = static_cast<std::uint32_t>(info.maxInputChannels);
    device.output_channels = static_cast<std::uint32_t>(info.maxOutputChannels);
    device.default_rate_hz = static_cast<std::uint32_t>(std::lround(info.defaultSampleRate));
    device.low_latency_ms = 1000.0 * (plays ? info.defaultLowOutputLatency : info.defaultLowInputLatency);
    device.high_latency_ms = 1000.0 * (plays ? info.defaultHighOutputLatency : info.defaultHighInputLatency);
    device.default_input = index == Pa_GetDefaultInputDevice();
    device.default_output = index == Pa_GetDefaultOutputDevice();
    return device;
}

}  // namespace

PortAudioSystem::PortAudioSystem() : library_(std::make_shared<PortAudioLibrary>()) {
    list_devices();
}

PortAudioSystem::~PortAudioSystem() = default;

void PortAudioSystem::rescan() {
    if (library_.use_count() > 1) return;
    devices_.clear();
    library_.reset();
    library_ = std::make_shared<PortAudioLibrary>();
    list_devices();
}

void PortAudioSystem::list_devices() {
    const DriverCall inside;
    for (int index = 0; index < Pa_GetDeviceCount(); ++index) devices_.push_back(device_at(index));
}

bool PortAudioSystem::supports(const StreamRequest& request) const {
    if (!library_) return false;
    const DriverCall inside;
    const PortAudioRequest asked(request);
    const double rate_hz = request.sample_rate_hz;
    return Pa_IsFormatSupported(asked.input_or_null(), asked.output_or_null(), rate_hz) == paFormatIsSupported;
}

std::unique_ptr<SoundStream> PortAudioSystem::open(const StreamRequest& request, AudioCallback& callback) {
    if (!library_) {
        throw SoundError(SoundError::Reason::no_device, fmt::format("'{}' is not there any more", request.output.name));
    }
    return std::make_unique<PortAudioStream>(library_, request, callback);
}

std::vector<std::string> PortAudioSystem::hosts() const {
    std::vector<std::string> names;
    for (int host = 0; library_ && host < Pa_GetHostApiCount(); ++host) {
        names.emplace_back(Pa_GetHostApiInfo(host)->name);
    }
    return names;
}

}  // namespace lacquer::player
