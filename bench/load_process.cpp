#include "bench/load_process.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

namespace lacquer::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kListening = "0A";  // TCP_LISTEN, as /proc/net/tcp writes it

std::optional<std::string> listening_inode(std::uint16_t port) {
    std::ifstream table("/proc/net/tcp");
    std::string line;
    std::getline(table, line);
    const std::string wanted = fmt::format(":{:04X}", port);
    while (std::getline(table, line)) {
        std::istringstream fields(line);
        std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
        fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode;
        if (state == kListening && local.ends_with(wanted)) return inode;
    }
    return std::nullopt;
}

bool holds(const fs::path& process, const std::string& socket) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(process / "fd", error)) {
        std::error_code gone;
        if (fs::read_symlink(entry.path(), gone) == socket) return true;
    }
    return false;
}

// "Name:   12 kB" lines.
std::map<std::string, std::int64_t> numbers_in(const fs::path& file) {
    std::ifstream in(file);
    if (!in) throw std::runtime_error(file.string() + " cannot be read: the process is gone");
    std::map<std::string, std::int64_t> numbers;
    std::string line;
    while (std::getline(in, line)) {
        const auto colon = line.find(':');
        if (colon != std::string::npos) numbers[line.substr(0, colon)] = std::atoll(line.c_str() + colon + 1);
    }
    return numbers;
}

}  // namespace

std::optional<pid_t> listening_process(std::uint16_t port) {
    const auto inode = listening_inode(port);
    if (!inode) return std::nullopt;
    const std::string socket = "socket:[" + *inode + "]";
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") == std::string::npos && holds(entry.path(), socket)) {
            return std::stoi(name);
        }
    }
    return std::nullopt;
}

double cpu_seconds_of(pid_t pid) {
    std::ifstream in(fmt::format("/proc/{}/stat", pid));
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos) throw std::runtime_error(fmt::format("process {} is gone", pid));
    std::istringstream fields(text.substr(name_end + 1));
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

ProcessFigures figures_of(pid_t pid) {
    const fs::path process = fmt::format("/proc/{}", pid);
    ProcessFigures figures;
    figures.cpu_s = cpu_seconds_of(pid);
    auto memory = numbers_in(process / "smaps_rollup");
    figures.rss_kib = memory["Rss"];
    figures.pss_kib = memory["Pss"];
    figures.private_kib = memory["Private_Dirty"];
    auto status = numbers_in(process / "status");
    figures.peak_rss_kib = status["VmHWM"];
    figures.threads = static_cast<int>(status["Threads"]);
    const auto descriptors = fs::directory_iterator(process / "fd");
    figures.descriptors = static_cast<int>(std::distance(begin(descriptors), end(descriptors)));
    return figures;
}

}  // namespace lacquer::bench
