#include "kaiku/cli/upload.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "kaiku/cli/local_folder.hpp"
#include "kaiku/cli/text.hpp"

namespace kaiku::cli {
namespace {

/// A file whose size does not change.
class file_source : public body_source {
 public:
  file_source(int fd, std::uint64_t size, std::string name) : fd_(fd), size_(size), name_(std::move(name)) {}
  std::optional<std::uint64_t> size() const override { return size_; }
  std::ptrdiff_t read(char* into, std::size_t most) override {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(most, size_ - at_));
    if (wanted == 0) return 0;
    const auto got = ::pread(fd_, into, wanted, static_cast<off_t>(at_));
    if (got <= 0) {
      trouble_ = name_ + (got == 0 ? " became shorter while it was sent" : " can't be read: " + system_words(errno));
      return -1;
    }
    at_ += static_cast<std::uint64_t>(got);
    return got;
  }
  bool rewind() override {
    at_ = 0;
    return true;
  }
  std::string trouble() const override { return trouble_; }

 private:
  int fd_;
  std::uint64_t size_, at_ = 0;
  std::string name_, trouble_;
};

/// Standard input, or a pipe: read once, and hashed on its way.
class stream_source : public body_source {
 public:
  stream_source(int fd, sha256_sum& sum, std::uint64_t& size) : fd_(fd), sum_(sum), size_(size) {}
  std::optional<std::uint64_t> size() const override { return std::nullopt; }
  std::ptrdiff_t read(char* into, std::size_t most) override {
    ssize_t got = 0;
    do got = ::read(fd_, into, most);
    while (got < 0 && errno == EINTR && !interrupted());
    if (got < 0) {
      trouble_ = "the input can't be read: " + system_words(errno);
      return -1;
    }
    size_ += static_cast<std::uint64_t>(got);
    sum_.update({into, static_cast<std::size_t>(got)});
    return got;
  }
  bool rewind() override { return size_ == 0; }
  std::string trouble() const override { return trouble_; }

 private:
  int fd_;
  sha256_sum& sum_;
  std::uint64_t& size_;
  std::string trouble_;
};

std::string durability_words(const answer& got) {
  return "recorded by " + got.field("kaiku-replicas") + " nodes (" + got.field("kaiku-durability") + ")";
}

/// Whether an ETag, `"term.index-digest"`, has the beginning of another digest.
bool names_another(const std::string& etag, const sha256& digest) {
  const auto dash = etag.find('-');
  const auto end = etag.rfind('"');
  if (dash == std::string::npos || end == std::string::npos || end <= dash + 1) return false;
  return !hexadecimal(digest).starts_with(etag.substr(dash + 1, end - dash - 1));
}

}  // namespace

void upload::begin() {
  out_.path = shown(what_.to);
  with_.out.bar().working_on(out_.path);
  if (what_.local.empty()) return make_directory();
  if (auto opened = open(); !opened) return end(local_failure(opened.failure()));
  if (stream_) return send();
  hash();
}

status upload::open() {
  if (what_.local == "-") {
    file_ = descriptor(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
    stream_ = true;
  } else {
    file_ = descriptor(::open(what_.local.c_str(), O_RDONLY | O_CLOEXEC));
  }
  struct stat now {};
  if (!file_ || ::fstat(file_.get(), &now) != 0)
    return {errc::io_error, what_.local.string() + " can't be read: " + system_words(errno)};
  if (S_ISDIR(now.st_mode)) return {errc::is_a_directory, what_.local.string() + " is a directory: put -r sends it"};
  stream_ = stream_ || !S_ISREG(now.st_mode);
  if (stream_) {
    source_ = std::make_shared<stream_source>(file_.get(), sum_, size_);
    return success();
  }
  size_ = out_.size = static_cast<std::uint64_t>(now.st_size);
  if (size_ > limits::small_file_bytes) {
    source_ = std::make_shared<file_source>(file_.get(), size_, what_.local.string());
    return success();
  }
  small_.resize(limits::small_file_bytes + 1);
  const auto got = ::pread(file_.get(), small_.data(), small_.size(), 0);
  if (got < 0) return {errc::io_error, what_.local.string() + " can't be read: " + system_words(errno)};
  small_.resize(static_cast<std::size_t>(got));
  if (small_.size() != size_) return {errc::io_error, what_.local.string() + " changes while it is read"};
  return success();
}

/// Large files piece by piece, so that other transfers go on meanwhile.
void upload::hash() {
  if (!source_) {
    digest_ = sha256_of(small_);
    return what_.may_stand ? look() : send();
  }
  auto piece = std::make_shared<std::string>(limits::hash_slice_bytes, '\0');
  with_.net.compute([self = shared_from_this(), piece] {
    const auto got = self->source_->read(piece->data(), piece->size());
    if (got < 0) {
      self->end(failure{exit_code::failed, self->source_->trouble(), {}});
      return false;
    }
    if (got > 0) {
      self->sum_.update(std::string_view(*piece).substr(0, static_cast<std::size_t>(got)));
      return true;
    }
    self->digest_ = self->sum_.finish();
    self->source_->rewind();
    self->what_.may_stand ? self->look() : self->send();
    return false;
  });
}

/// What stands there: for an ETag that a fresh listing gave, any node's word will do; else it has to be fresh itself.
void upload::look() {
  field_list fields{{"Want-Repr-Digest", "sha-256=1"}};
  if (what_.standing_etag.empty())
    fields.emplace_back("Kaiku-Consistency", "linearizable");
  else
    fields.emplace_back("If-Match", what_.standing_etag);
  with_.net.send(head_of(what_.to, fields), [self = shared_from_this()](const answer& got) {
    const auto there = read_head(got);
    if (got.code == 0 || got.code == 401 || got.code == 503) return self->end(explain(got, self->out_.path));
    // What is about to expire is to stay.
    const bool is_gone_soon = !got.field("kaiku-expires").empty();
    if (!got.good() || there.is_directory || is_gone_soon || there.digest != self->digest_) return self->send();
    self->out_.unchanged = true;
    self->out_.more = {{"etag", there.etag}};
    if (!self->with_.asked.recursive || self->with_.asked.verbose)
      self->out_.words = self->with_.out.name(self->out_.path) + ": there already, " + in_bytes(self->size_);
    self->with_.out.bar().spared(self->size_);
    self->end();
  });
}

request upload::put_request() {
  const auto& asked = with_.asked;
  std::string query;
  if (asked.no_overwrite) query = "overwrite=false";
  if (asked.ttl_s != 0) query += (query.empty() ? "ttl=" : "&ttl=") + std::to_string(asked.ttl_s);
  request put{.method = "PUT", .target = files_target(what_.to.text(), query), .fields = change_fields(asked)};
  if (!asked.content_type.empty()) put.fields.emplace_back("Content-Type", asked.content_type);
  for (const auto& one : asked.metadata)
    put.fields.emplace_back("Kaiku-Meta-" + one.substr(0, one.find('=')), one.substr(one.find('=') + 1));
  if (asked.trace) put.fields.emplace_back("Kaiku-Trace", "1");
  put.source = source_;
  if (!source_) put.body = small_;
  put.on_sent = [self = shared_from_this()](std::uint64_t count) {
    self->counted_ += count;
    self->with_.out.bar().moved(count);
  };
  // What was read from a pipe is gone.
  if (stream_) return put;
  put.fields.emplace_back("Repr-Digest", digest_field(digest_));
  put.again = [self = shared_from_this()](request&) {
    self->with_.out.bar().moved_in_vain(self->counted_);
    self->counted_ = 0;
    return true;
  };
  return with_key(std::move(put));
}

void upload::send() {
  with_.net.send(put_request(), [self = shared_from_this()](const answer& got) { self->sent(got); });
}

void upload::make_directory() {
  with_.net.send(with_key({.method = "POST",
                           .target = files_target(what_.to.text(), "op=mkdir"),
                           .fields = change_fields(with_.asked)}),
                 [self = shared_from_this()](const answer& got) {
                   if (got.problem() == "already_exists") return self->look_for_directory(got);
                   self->sent(got);
                 });
}

/// Something stands there: a directory, or a file in its way, which `refusal` is about.
void upload::look_for_directory(const answer& refusal) {
  with_.net.send(head_of(what_.to, {{"Kaiku-Consistency", "linearizable"}}),
                 [self = shared_from_this(), refusal](const answer& got) {
                   // A token that may write and not look has the word of the node that asked for nothing.
                   const bool in_the_way = got.good() && !read_head(got).is_directory;
                   if (in_the_way) return self->end(explain(refusal, self->out_.path));
                   self->out_.unchanged = true;
                   self->end();
                 });
}

void upload::sent(const answer& got) {
  if (!got.good() || got.cut_off) {
    with_.out.bar().moved_in_vain(counted_);
    return end(explain(got, out_.path));
  }
  if (auto none = no_token(got, out_.path)) {
    with_.out.bar().moved_in_vain(counted_);
    return end(std::move(none));
  }
  out_.more = {{"created", got.code == 201},
               {"etag", got.field("etag")},
               {"token", got.field("kaiku-token")},
               {"durability", got.field("kaiku-durability")},
               {"replicas", got.field("kaiku-replicas")}};
  if (with_.asked.trace) out_.more["trace"] = got.field("kaiku-trace");
  out_.size = size_;
  if (!with_.asked.recursive || with_.asked.verbose)
    out_.words = with_.out.name(out_.path) + ": " + in_bytes(size_) + " sent, " + durability_words(got) + ", token " +
                 with_.out.name(got.field("kaiku-token"));
  if (got.code == 202)
    return end(failure{exit_code::less_durable,
                       out_.path + ": " + durability_words(got) +
                           ", which is less than asked for; it is replicated further, and `kaiku write-status " +
                           got.field("kaiku-token") + "` tells how far",
                       {}});
  if (!stream_) return end();
  check_stream(got.field("kaiku-token"));
}

/// Its digest was not known when it was sent.
void upload::check_stream(const std::string& token) {
  digest_ = sum_.finish();
  with_.net.send(head_of(what_.to, {{"Kaiku-Token", token}}), [self = shared_from_this()](const answer& got) {
    const auto there = read_head(got);
    const std::string etag = self->out_.more["etag"];
    // This token may write and not read, or no node answers now: the tag has the beginning of the digest.
    const bool is_other = got.good() ? there.etag == etag && there.digest && *there.digest != self->digest_
                                     : names_another(etag, self->digest_);
    if (is_other)
      return self->end(
          failure{exit_code::failed, self->out_.path + ": what was stored is not what was sent; send it again", {}});
    self->end();
  });
}

void upload::end(std::optional<failure> failed) {
  out_.failed = std::move(failed);
  if (out_.failed && out_.failed->code != exit_code::less_durable) out_.words.clear();
  // Nothing that is over holds a file open.
  file_ = {};
  source_.reset();
  then_(std::move(out_));
}

}  // namespace kaiku::cli
