#include "kaiku/cli/download.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <charconv>

#include "kaiku/cli/text.hpp"

namespace kaiku::cli {
namespace {

/// Where the content of a 206 begins; empty: it does not say.
std::optional<std::uint64_t> range_start(const std::string& content_range) {
  constexpr std::string_view unit = "bytes ";
  std::uint64_t out = 0;
  if (!content_range.starts_with(unit)) return std::nullopt;
  const auto* begin = content_range.data() + unit.size();
  const auto [stop, failed] = std::from_chars(begin, content_range.data() + content_range.size(), out);
  if (failed != std::errc{} || stop == begin) return std::nullopt;
  return out;
}

}  // namespace

void download::begin() {
  out_.path = shown(what_.from);
  out_.size = what_.size;
  out_.more = {{"local", what_.local}};
  with_.out.bar().working_on(out_.path);
  if (!what_.folder) return fetch();
  if (!with_.asked.again && looks_the_same()) return what_.digest ? compare() : ask_digest();
  open_partial();
}

/// A plain file of the same size stands in the target's place.
bool download::looks_the_same() {
  here_ = descriptor(::openat(what_.folder->get(), what_.name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat now {};
  return here_ && ::fstat(here_.get(), &now) == 0 && S_ISREG(now.st_mode) &&
         static_cast<std::uint64_t>(now.st_size) == what_.size;
}

void download::ask_digest() {
  auto fields = freshness_fields(with_.asked);
  fields.emplace_back("Want-Repr-Digest", "sha-256=1");
  with_.net.send(head_of(what_.from, fields), [self = shared_from_this()](const answer& got) {
    if (!got.good()) return self->end(explain(got, self->out_.path));
    const auto there = read_head(got);
    self->what_.digest = there.digest;
    self->what_.etag = there.etag;
    there.digest ? self->compare() : self->open_partial();
  });
}

void download::read_all(int fd, std::function<void(std::optional<std::string>)> done) {
  auto piece = std::make_shared<std::string>(std::min<std::uint64_t>(limits::hash_slice_bytes, what_.size + 1), '\0');
  with_.net.compute([self = shared_from_this(), fd, piece, done = std::move(done)] {
    const auto got = ::pread(fd, piece->data(), piece->size(), static_cast<off_t>(self->at_));
    if (got < 0) {
      done(system_words(errno));
      return false;
    }
    if (got == 0) {
      done(std::nullopt);
      return false;
    }
    self->sum_.update(std::string_view(*piece).substr(0, static_cast<std::size_t>(got)));
    self->at_ += static_cast<std::uint64_t>(got);
    return true;
  });
}

void download::compare() {
  read_all(here_.get(), [self = shared_from_this()](const std::optional<std::string>& trouble) {
    const bool same = self->sum_.finish() == self->what_.digest && !trouble;
    self->here_ = {};
    self->at_ = 0;
    if (!same) return self->open_partial();
    self->out_.unchanged = true;
    if (!self->with_.asked.recursive || self->with_.asked.verbose)
      self->out_.words = self->with_.out.name(self->what_.local) + ": there already, " + in_bytes(self->what_.size);
    self->with_.out.bar().spared(self->what_.size);
    self->end();
  });
}

void download::open_partial() {
  here_ = {};
  auto opened = partial_file::open(what_.folder, what_.name, what_.etag);
  if (!opened) return end(failure{exit_code::failed, what_.local + ": " + opened.failure().detail, {}});
  partial_.emplace(std::move(opened).value());
  if (what_.etag.empty() || partial_->size() == 0) {
    if (auto cut = partial_->cut(0); !cut) return end(local_failure(cut.failure()));
    return fetch();
  }
  // Of one that is whole the last byte is fetched once more: with it comes the digest.
  const auto keep = partial_->size() > what_.size ? 0 : std::min(partial_->size(), what_.size - 1);
  if (auto cut = partial_->cut(keep); !cut) return end(local_failure(cut.failure()));
  hash_partial();
}

void download::hash_partial() {
  auto piece = partial_->read(at_, limits::hash_slice_bytes);
  if (!piece) return end(local_failure(piece.failure()));
  sum_.update(*piece);
  at_ += piece->size();
  if (!piece->empty())
    return with_.net.compute([self = shared_from_this()] {
      self->hash_partial();
      return false;
    });
  spared_ = at_;
  version_ = what_.etag;
  with_.out.bar().spared(at_);
  fetch();
}

request download::get_request() {
  request get{.target = files_target(what_.from.text()), .fields = freshness_fields(with_.asked)};
  get.fields.emplace_back("Want-Repr-Digest", "sha-256=1");
  if (at_ > 0) {
    get.fields.emplace_back("Range", "bytes=" + std::to_string(at_) + "-");
    get.fields.emplace_back("If-Range", version_);
  }
  get.sink = [self = shared_from_this()](const answer& head, std::string_view piece) {
    return self->take(head, piece);
  };
  get.again = [self = shared_from_this()](request& more) {
    more.fields = self->get_request().fields;
    self->answer_begun_ = false;
    return true;
  };
  return get;
}

void download::fetch() {
  answer_begun_ = false;
  with_.net.send(get_request(), [self = shared_from_this()](const answer& got) { self->fetched(got); });
}

status download::start_over() {
  if (!partial_ && at_ > 0)
    return {errc::io_error, "the file was changed while it was read, after some of it was written out"};
  with_.out.bar().moved_in_vain(at_);
  at_ = spared_ = 0;
  sum_.reset();
  return partial_ ? partial_->cut(0) : success();
}

/// Whether the content that follows goes on where we are.
bool download::begin_answer(const answer& head) {
  answer_begun_ = true;
  const auto etag = head.field("etag");
  const auto refuse = [&](const std::string& why) {
    local_trouble_ = out_.path + ": " + why;
    return false;
  };
  if (etag.starts_with("W/")) return refuse("is a directory: get -r fetches it, ls lists it");
  if (head.code == 206) {
    if (at_ == 0 || range_start(head.field("content-range")) != at_ || etag != version_)
      return refuse(head.address + " sends another part than it was asked for");
    return true;
  }
  if (auto over = start_over(); !over) return refuse(over.failure().detail);
  version_ = etag;
  return true;
}

bool download::take(const answer& head, std::string_view piece) {
  if (!answer_begun_ && !begin_answer(head)) return false;
  if (partial_) {
    if (auto written = partial_->append(piece); !written) {
      local_trouble_ = what_.local + ": " + written.failure().detail;
      return false;
    }
  } else if (!with_.out.bytes(piece)) {
    local_trouble_ = "standard output can't be written";
    return false;
  }
  sum_.update(piece);
  at_ += piece.size();
  with_.out.bar().moved(piece.size());
  return true;
}

void download::fetched(const answer& got) {
  if (!local_trouble_.empty()) return end(failure{exit_code::failed, local_trouble_, {}});
  if (!got.good() || got.cut_off || got.stopped) return end(explain(got, out_.path));
  // Nothing came of what is empty.
  if (!answer_begun_ && !begin_answer(got)) return end(failure{exit_code::failed, local_trouble_, {}});
  check(got);
}

void download::check(const answer& got) {
  const auto promised = parse_digest_field(got.field("repr-digest"));
  const auto actual = sum_.finish();
  const bool good = promised == actual;
  if (!good && promised && spared_ > 0 && !damaged_before_) {
    // What was left may have been damaged: once more, all of it.
    damaged_before_ = true;
    if (auto over = start_over(); !over) return end(local_failure(over.failure()));
    return fetch();
  }
  if (!good) {
    if (partial_) partial_->discard();
    return end(failure{exit_code::failed,
                       promised ? out_.path + ": what came is not what " + got.address +
                                      " has: its digest is another one; fetch it again"
                                : out_.path + ": " + got.address + " gives no digest to check it by (Repr-Digest)",
                       {}});
  }
  out_.size = at_;
  out_.more["etag"] = version_;
  out_.more["fetched"] = at_ - spared_;
  if (partial_) {
    if (auto kept = partial_->keep(); !kept) {
      partial_->discard();
      return end(failure{exit_code::failed, what_.local + ": " + kept.failure().detail, {}});
    }
    partial_.reset();
    if (!with_.asked.recursive || with_.asked.verbose)
      out_.words = with_.out.name(what_.local) + ": " + in_bytes(at_) + " fetched" +
                   (spared_ > 0 ? ", of which " + in_bytes(spared_) + " were here" : "");
  }
  end();
}

/// Nothing was fetched: nothing is left to go on with.
void download::let_go() {
  if (partial_ && partial_->size() == 0) partial_->discard();
  partial_.reset();
}

void download::end(std::optional<failure> failed) {
  out_.failed = std::move(failed);
  let_go();
  what_.folder.reset();
  then_(std::move(out_));
}

}  // namespace kaiku::cli
