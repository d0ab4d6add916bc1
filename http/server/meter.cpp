#include "kaiku/http/server/meter.hpp"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <map>
#include <tuple>

namespace kaiku {
namespace {

/// Seconds: from a read out of memory to an upload of gigabytes.
const prometheus::Histogram::BucketBoundaries duration_buckets{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                               0.25,   0.5,   1,      2.5,   5,    10,    30,   120};

std::string route_label(std::string_view route) {
  return route.empty() ? "none" : std::string(route);
}

std::string method_label(http_method method) {
  const auto name = name_of(method);
  return name.empty() ? "other" : std::string(name);
}

}  // namespace

// --- request_registry ----------------------------------------------------------------------------------------------

struct request_registry::impl {
  prometheus::Registry all;
  prometheus::Family<prometheus::Counter>& requests = prometheus::BuildCounter()
                                                          .Name("kaiku_http_requests_total")
                                                          .Help("Requests answered, by route, method and status.")
                                                          .Register(all);
  prometheus::Family<prometheus::Histogram>& durations =
      prometheus::BuildHistogram()
          .Name("kaiku_http_request_duration_seconds")
          .Help("From the end of a request's header to the end of its answer.")
          .Register(all);
  prometheus::Family<prometheus::Counter>& received = prometheus::BuildCounter()
                                                          .Name("kaiku_http_request_body_bytes_total")
                                                          .Help("Bytes of request bodies read.")
                                                          .Register(all);
  prometheus::Family<prometheus::Counter>& sent = prometheus::BuildCounter()
                                                      .Name("kaiku_http_response_body_bytes_total")
                                                      .Help("Bytes of answers' bodies sent.")
                                                      .Register(all);
};

request_registry::request_registry() : impl_(std::make_unique<impl>()) {}
request_registry::~request_registry() = default;

std::vector<prometheus::MetricFamily> request_registry::collect() const {
  return impl_->all.Collect();
}

// --- request_meter -------------------------------------------------------------------------------------------------

struct request_meter::known {
  struct by_route {
    prometheus::Histogram* duration;
    prometheus::Counter* received;
    prometheus::Counter* sent;
  };
  // By the address of the route's pattern: there are as many as routes.
  std::map<std::pair<const char*, http_method>, by_route> routes;
  std::map<std::tuple<const char*, http_method, unsigned>, prometheus::Counter*> requests;
};

request_meter::request_meter(std::shared_ptr<request_registry> registry)
    : registry_(std::move(registry)), known_(std::make_unique<known>()) {}
request_meter::~request_meter() = default;

void request_meter::count(const measured_request& x) {
  auto& all = *registry_->impl_;
  auto& requests = known_->requests[{x.route.data(), x.method, x.status}];
  if (requests == nullptr)
    requests = &all.requests.Add(
        {{"route", route_label(x.route)}, {"method", method_label(x.method)}, {"code", std::to_string(x.status)}});
  auto& route = known_->routes[{x.route.data(), x.method}];
  if (route.duration == nullptr) {
    const prometheus::Labels labels{{"route", route_label(x.route)}, {"method", method_label(x.method)}};
    route = {&all.durations.Add(labels, duration_buckets), &all.received.Add(labels), &all.sent.Add(labels)};
  }
  requests->Increment();
  route.duration->Observe(std::chrono::duration<double>(x.duration).count());
  route.received->Increment(static_cast<double>(x.received));
  route.sent->Increment(static_cast<double>(x.sent));
}

}  // namespace kaiku
