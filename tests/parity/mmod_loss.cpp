// dlib's own MMOD loss and gradient for cases of tests/parity/mmod_cases.py. Run by hand, once:
//
//   g++ -O1 -std=c++17 -DDLIB_NO_GUI_SUPPORT -DDLIB_DISABLE_ASSERTS -I DLIB mmod_loss.cpp DLIB/dlib/all/source.cpp -lpthread
//   python -m tests.parity.mmod_cases | ./a.out 2>/dev/null | python -m tests.parity.mmod_cases --record
//
// DLIB is the folder that holds dlib's own, version 19.24. Values that the network would give are put into its output
// tensor: a line of chance, value = low + (high - low) * u, and single places that are set.
#include <cstdint>
#include <dlib/dnn.h>
#include <iomanip>
#include <iostream>

using namespace dlib;

template <typename SUBNET> using down = relu<bn_con<con<32, 5, 5, 2, 2, SUBNET>>>;
template <typename SUBNET> using flat = relu<bn_con<con<32, 3, 3, 1, 1, SUBNET>>>;
using net_type = loss_mmod<con<1, 6, 6, 1, 1,
    flat<flat<flat<down<down<down<input_rgb_image_pyramid<pyramid_down<6>>>>>>>>>>;

static std::string word(std::istream& in) { std::string w; in >> w; return w == "-" ? "" : w; }

int main()
{
    std::string name;
    while (std::cin >> name)
    {
        long width, height, samples;
        mmod_options options;
        double iou, covered, ignore_iou, ignore_covered;
        std::cin >> width >> height >> samples >> options.loss_per_false_alarm >> options.loss_per_missed_target;
        std::cin >> options.truth_match_iou_threshold >> iou >> covered >> ignore_iou >> ignore_covered;
        options.overlaps_nms = test_box_overlap(iou, covered);
        options.overlaps_ignore = test_box_overlap(ignore_iou, ignore_covered);
        size_t windows;
        std::cin >> windows;
        for (size_t i = 0; i < windows; ++i)
        {
            unsigned long w, h;
            std::cin >> w >> h;
            options.detector_windows.emplace_back(w, h, word(std::cin));
        }
        std::vector<std::vector<mmod_rect>> truth(samples);
        for (auto& one : truth)
        {
            size_t count;
            std::cin >> count;
            for (size_t i = 0; i < count; ++i)
            {
                long l, t, r, b;
                int ignore;
                std::cin >> l >> t >> r >> b >> ignore;
                mmod_rect rect(rectangle(l, t, r, b));
                rect.ignore = ignore;
                rect.label = word(std::cin);
                one.push_back(rect);
            }
        }
        net_type net(options);
        net.subnet().layer_details().set_num_filters(windows);
        std::vector<matrix<rgb_pixel>> images(samples, matrix<rgb_pixel>(height, width));
        for (auto& image : images)
            image = rgb_pixel(0, 0, 0);
        resizable_tensor x;
        net.to_tensor(images.begin(), images.end(), x);
        net.subnet().forward(x);

        uint32_t state;
        double low, high;
        size_t bumps;
        std::cin >> state >> low >> high >> bumps;
        tensor& output = const_cast<tensor&>(net.subnet().get_output());
        float* values = output.host();
        for (size_t i = 0; i < output.size(); ++i)
        {
            state = state * 1664525u + 1013904223u;
            values[i] = (float)(low + (high - low) * (state / 4294967296.0));
        }
        for (size_t i = 0; i < bumps; ++i)
        {
            size_t place;
            double value;
            std::cin >> place >> value;
            values[place] = (float)value;
        }
        const double loss = net.loss_details().compute_loss_value_and_gradient(x, truth.begin(), net.subnet());
        const tensor& gradient = net.subnet().get_gradient_input();
        const float* g = gradient.host();
        std::cerr << name << "\n";
        std::cout << "RESULT " << name << " " << output.nr() << " " << output.nc() << " " << std::setprecision(12) << loss;
        for (size_t i = 0; i < gradient.size(); ++i)
            if (g[i] != 0)
                std::cout << " " << i << " " << g[i];
        std::cout << std::endl;
    }
}
