#include "kaiku/actors/content_actor.hpp"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include <caf/after.hpp>
#include <caf/all.hpp>

namespace kaiku {

// --- content -------------------------------------------------------------------------------------------------------

content_actor::content_actor(caf::actor_config& cfg, std::shared_ptr<store> disk)
    : observed(cfg), disk_(std::move(disk)) {
  set_down_handler([this](const caf::down_msg&) { --uploads_; });
}

content_actor::behavior_type content_actor::make_behavior() {
  return {
      [this](const open_upload& x) { return open(x); },
      [this](const read_content& x) { return read(x); },
  };
}

upload_opened content_actor::open(const open_upload& x) {
  if (uploads_ >= limits::uploads_in_flight)
    return {{errc::overloaded, "too many uploads at once on the leader; try again shortly"}, {}};
  auto file = disk_->content().begin(x.expected);
  if (!file) return {file.failure(), {}};
  auto upload = spawn<upload_actor, caf::detached>(disk_, std::move(*file), caf::strong_actor_ptr{current_sender()});
  ++uploads_;
  monitor(caf::actor_cast<caf::actor_addr>(upload));
  return {{}, upload};
}

content_range content_actor::read(const read_content& x) {
  auto blob = served_.find(x.content);
  if (blob == served_.end()) {
    auto opened = disk_->content().open(x.content);
    if (!opened) return {opened.failure(), {}};
    if (served_.size() >= limits::served_blobs) served_.clear();
    blob = served_.emplace(x.content, std::move(*opened)).first;
  }
  if (x.offset.value >= x.content.size.value)
    return {{errc::bad_request, "the offset is behind the content's end"}, {}};
  std::string bytes(std::min<std::uint64_t>(limits::chunk_bytes, x.content.size.value - x.offset.value), '\0');
  const auto got = ::pread(blob->second.file.get(), bytes.data(), bytes.size(), static_cast<off_t>(x.offset.value));
  if (got != static_cast<ssize_t>(bytes.size()))
    return {{errc::io_error, "content " + to_string(x.content.sha256) + " could not be read"}, {}};
  return {{}, chunk{std::move(bytes)}};
}

// --- upload --------------------------------------------------------------------------------------------------------

upload_actor::upload_actor(caf::actor_config& cfg, std::shared_ptr<store> disk, std::unique_ptr<staged_file> file,
                           caf::strong_actor_ptr client)
    : observed(cfg), disk_(std::move(disk)), file_(std::move(file)), client_(std::move(client)) {}

upload_actor::behavior_type upload_actor::make_behavior() {
  set_down_handler([this](const caf::down_msg&) { quit(); });
  if (client_) monitor(client_);
  return {
      [this](const upload_chunk& x) -> upload_written {
        if (finished_) return {{errc::bad_request, "the upload is over"}};
        auto written = file_->write(x.bytes.view());
        finished_ = !written.ok();
        if (finished_) return {written.failure()};
        return {};
      },
      [this](const upload_finish&) -> upload_finished {
        if (finished_) return {{errc::bad_request, "the upload is over"}, {}};
        finished_ = true;
        auto content = file_->finish();
        if (!content) return {content.failure(), {}};
        return {{}, *content};
      },
      // Also long enough for the write that names the finished content to be settled.
      caf::after(milliseconds(limits::upload_idle_timeout_ms)) >> [this] { quit(); },
  };
}

// --- fetch ---------------------------------------------------------------------------------------------------------

fetch_actor::fetch_actor(caf::actor_config& cfg, std::shared_ptr<store> disk) : observed(cfg), disk_(std::move(disk)) {}

fetch_actor::behavior_type fetch_actor::make_behavior() {
  set_down_handler([this](const caf::down_msg& x) {
    if (active_ && x.source == caf::actor_cast<caf::actor_addr>(source_))
      end({errc::io_error, "the link to the content's source broke"});
  });
  return {[this](const fetch_content& x) { return start(x); }};
}

void fetch_actor::on_exit() {
  source_ = nullptr;
  promise_ = {};  // holds the actor that made it: this one
}

caf::typed_response_promise<fetched> fetch_actor::start(const fetch_content& x) {
  if (active_) end({errc::io_error, "another fetch took its place"});
  promise_ = make_response_promise<fetched>();
  auto answer = promise_;
  active_ = true;
  // An append may name more than this fetch brings: what an earlier one staged for it has to stay.
  const auto source = caf::actor_cast<caf::actor_addr>(x.source);
  if (std::exchange(staged_from_, source) != source)
    staged_.clear();
  else
    std::erase_if(staged_, [this](const auto& one) { return disk_->content().has_blob(one.first.sha256); });
  wanted_.assign(x.wanted.begin(), x.wanted.end());
  source_ = x.source;
  monitor(source);
  begin_next();
  return answer;
}

void fetch_actor::begin_next() {
  if (wanted_.empty()) {
    end({});
    return;
  }
  auto file = disk_->content().begin(wanted_.front().size);
  if (!file) {
    end(file.failure());
    return;
  }
  current_ = std::move(*file);
  ++attempt_;
  requested_ = 0;
  in_flight_ = 0;
  early_.clear();
  request_more();
}

void fetch_actor::request_more() {
  const auto& content = wanted_.front();
  while (in_flight_ + early_.size() < limits::chunk_window && requested_ < content.size.value) {
    const byte_count offset{requested_};
    requested_ += limits::chunk_bytes;
    ++in_flight_;
    request(source_, milliseconds(limits::chunk_timeout_ms), read_content{content, offset})
        .then([this, attempt = attempt_, offset](const content_range& range) { on_range(attempt, offset, range); },
              [this, attempt = attempt_](const caf::error&) {
                if (active_ && attempt == attempt_) end({errc::io_error, "the content's source did not answer"});
              });
  }
}

void fetch_actor::on_range(std::uint64_t attempt, byte_count offset, const content_range& range) {
  if (!active_ || attempt != attempt_) return;
  --in_flight_;
  if (range.failure.code != errc::none) {
    end(range.failure);
    return;
  }
  early_.emplace(offset.value, range.bytes);
  auto& file = *current_;
  for (auto next = early_.find(file.size().value); next != early_.end(); next = early_.find(file.size().value)) {
    const auto left = wanted_.front().size.value - file.size().value;
    const auto bytes = next->second.view();
    if (bytes.size() != std::min<std::uint64_t>(left, limits::chunk_bytes)) {
      end({errc::corrupt, "a range of content has the wrong length"});
      return;
    }
    if (auto written = file.write(bytes); !written) {
      end(written.failure());
      return;
    }
    early_.erase(next);
  }
  if (file.size() == wanted_.front().size) {
    finish_current();
  } else {
    request_more();
  }
}

void fetch_actor::finish_current() {
  auto content = current_->finish();
  if (!content) {
    end(content.failure());
  } else if (*content != wanted_.front()) {
    end({errc::corrupt, "content " + to_string(wanted_.front().sha256) + " came with other bytes"});
  } else {
    staged_[*content] = std::move(current_);
    wanted_.pop_front();
    begin_next();
  }
}

void fetch_actor::end(error why) {
  active_ = false;
  ++attempt_;
  early_.clear();
  wanted_.clear();
  current_ = nullptr;
  if (source_) demonitor(caf::actor_cast<caf::actor_addr>(source_));
  source_ = nullptr;
  promise_.deliver(fetched{std::move(why)});
}

}  // namespace kaiku
