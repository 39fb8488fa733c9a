#include "dsp/eq_fit.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "dsp/filter_design.h"

namespace lacquer::dsp {
namespace {

constexpr int kParametersEach = 3;  // gain, log2 of the frequency ratio to the start, log2 of the Q ratio
constexpr double kHold = 0.05;      // pull towards the starting frequency and Q, dB per octave
constexpr double kLowestHz = 20.0;
constexpr double kHighestHz = 20'000.0;
constexpr double kHighestShare = 0.45;  // of the sample rate
constexpr int kIterations = 25;
constexpr double kFlatDb = 0.005;

enum class Shape { low_shelf, peak, high_shelf };

struct Start {
    Shape shape;
    double hz;
    double q;
};

std::vector<Start> starts(std::size_t section_count, double rate_hz) {
    const double top_hz = std::min(11'500.0, 0.32 * rate_hz);
    const double bottom_hz = 44.0;
    const std::size_t peaks = section_count - 2;
    const double octaves = std::log2(top_hz / bottom_hz);
    const double spacing = std::max(octaves / static_cast<double>(peaks + 1), 0.8);
    std::vector<Start> list{{Shape::low_shelf, bottom_hz, kButterworthQ}};
    for (std::size_t p = 1; p <= peaks; ++p) {
        const double hz = bottom_hz * std::exp2(static_cast<double>(p) * spacing);
        if (hz < 0.8 * top_hz) list.push_back({Shape::peak, hz, 1.2 / spacing});
    }
    list.push_back({Shape::high_shelf, top_hz, kButterworthQ});
    return list;
}

class Fit {
public:
    Fit(const ToneCurve& wanted, std::vector<Start> start, double rate_hz)
        : starts_(std::move(start)), rate_hz_(rate_hz), parameters_(Eigen::VectorXd::Zero(parameter_count())) {
        const double top_hz = std::min(kHighestHz, kHighestShare * rate_hz);
        for (double hz = kLowestHz; hz <= top_hz; hz *= std::exp2(1.0 / 6.0)) {
            frequencies_.push_back(hz / rate_hz);
            wanted_.push_back(curve_db_at(wanted, hz));
        }
        for (std::size_t s = 0; s < starts_.size(); ++s) gain(s) = 0.7 * curve_db_at(wanted, starts_[s].hz);
    }

    void solve() {
        double damping = 1e-2;
        Point here = at(parameters_);
        Eigen::MatrixXd slope = jacobian(here);
        for (int i = 0; i < kIterations; ++i) {
            const Eigen::VectorXd down = slope.transpose() * here.residual;
            Eigen::MatrixXd normal = slope.transpose() * slope;
            normal.diagonal().array() += damping;
            Point candidate = at(bounded(here.parameters - normal.ldlt().solve(down)));
            if (candidate.error >= here.error) {
                damping *= 8.0;
                continue;
            }
            const bool settled = here.error - candidate.error < 1e-4 * here.error;
            here = std::move(candidate);
            damping = std::max(damping / 4.0, 1e-6);
            if (settled) break;
            slope = jacobian(here);
        }
        parameters_ = here.parameters;
    }

    std::vector<BiquadCoefficients> sections() const {
        std::vector<BiquadCoefficients> list;
        for (std::size_t s = 0; s < starts_.size(); ++s) {
            if (std::abs(parameters_[index(s)]) > kFlatDb) list.push_back(section(s, parameters_));
        }
        return list;
    }

private:
    // What is known of one choice of parameters: responses take nearly all the time, so none is computed twice.
    struct Point {
        Eigen::VectorXd parameters;
        std::vector<Eigen::VectorXd> responses;  // by section, dB on the grid
        Eigen::VectorXd residual;
        double error;
    };

    static Eigen::Index index(std::size_t section) { return static_cast<Eigen::Index>(section) * kParametersEach; }
    Eigen::Index parameter_count() const { return index(starts_.size()); }
    Eigen::Index grid_size() const { return static_cast<Eigen::Index>(frequencies_.size()); }
    double& gain(std::size_t section) { return parameters_[index(section)]; }

    BiquadCoefficients section(std::size_t s, const Eigen::VectorXd& p) const {
        const Start& start = starts_[s];
        const double frequency =
            std::min(start.hz * std::exp2(p[index(s) + 1]), (kHighestShare - 0.01) * rate_hz_) / rate_hz_;
        const double q = start.q * std::exp2(p[index(s) + 2]);
        const double gain_db = p[index(s)];
        if (start.shape == Shape::low_shelf) return low_shelf(frequency, q, gain_db);
        if (start.shape == Shape::high_shelf) return high_shelf(frequency, q, gain_db);
        return peak(frequency, q, gain_db);
    }

    Eigen::VectorXd response(std::size_t s, const Eigen::VectorXd& p) const {
        const BiquadCoefficients c = section(s, p);
        Eigen::VectorXd values(grid_size());
        for (Eigen::Index i = 0; i < grid_size(); ++i)
            values[i] = response_db(c, frequencies_[static_cast<std::size_t>(i)]);
        return values;
    }

    Point at(const Eigen::VectorXd& p) const {
        Point point{p, {}, Eigen::VectorXd::Zero(grid_size() + parameter_count()), 0.0};
        Eigen::VectorXd& values = point.residual;
        for (std::size_t s = 0; s < starts_.size(); ++s) {
            point.responses.push_back(response(s, p));
            values.head(grid_size()) += point.responses.back();
        }
        for (Eigen::Index i = 0; i < grid_size(); ++i) values[i] -= wanted_[static_cast<std::size_t>(i)];
        values.tail(parameter_count()) = kHold * p;
        for (std::size_t s = 0; s < starts_.size(); ++s) values[grid_size() + index(s)] = 0.0;  // gains are free
        point.error = values.squaredNorm();
        return point;
    }

    Eigen::MatrixXd jacobian(const Point& here) const {
        constexpr double kStep = 1e-5;
        Eigen::MatrixXd slope = Eigen::MatrixXd::Zero(grid_size() + parameter_count(), parameter_count());
        for (std::size_t s = 0; s < starts_.size(); ++s) {
            for (int k = 0; k < kParametersEach; ++k) {
                Eigen::VectorXd moved = here.parameters;
                moved[index(s) + k] += kStep;
                slope.col(index(s) + k).head(grid_size()) = (response(s, moved) - here.responses[s]) / kStep;
                if (k > 0) slope(grid_size() + index(s) + k, index(s) + k) = kHold;
            }
        }
        return slope;
    }

    Eigen::VectorXd bounded(Eigen::VectorXd p) const {
        for (std::size_t s = 0; s < starts_.size(); ++s) {
            p[index(s)] = std::clamp(p[index(s)], -12.0, 12.0);
            p[index(s) + 1] = std::clamp(p[index(s) + 1], -0.7, 0.7);
            const bool shelf = starts_[s].shape != Shape::peak;
            p[index(s) + 2] = std::clamp(p[index(s) + 2], -1.0, shelf ? 0.5 : 1.5);
        }
        return p;
    }

    std::vector<Start> starts_;
    double rate_hz_;
    Eigen::VectorXd parameters_;
    std::vector<double> frequencies_;  // of the sample rate
    std::vector<double> wanted_;
};

}  // namespace

std::vector<BiquadCoefficients> fit_sections(const ToneCurve& wanted, std::size_t section_count,
                                             std::uint32_t sample_rate_hz) {
    const bool flat = std::all_of(wanted.begin(), wanted.end(), [](double db) { return std::abs(db) < kFlatDb; });
    if (flat) return {};
    const double rate_hz = sample_rate_hz;
    Fit fit(wanted, starts(section_count, rate_hz), rate_hz);
    fit.solve();
    return fit.sections();
}

}  // namespace lacquer::dsp
