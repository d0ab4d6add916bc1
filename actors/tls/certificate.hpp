#pragma once

/// Purpose: what a certificate says, for comparisons and for people. Thread: pure functions, but for the clock.

#include <optional>
#include <string>

#include <openssl/x509.h>

#include "kaiku/core/ids.hpp"

namespace kaiku {

/// The names and addresses that it is for (its subject alternative names), for a person: `n1, 10.0.0.1`; printable
/// ASCII.
std::string names_in(const X509& certificate);
/// Is it for this host name or numeric address? The subject does not count, and neither do wildcards: they would let
/// one member pose as another.
bool is_for(X509& certificate, const std::string& name);
/// The end of its time, in milliseconds since 1970; 0 if it can't be read.
unix_time_ms expires(const X509& certificate);
/// The same for a person: `2026-01-31 12:00:00 UTC`.
std::string expiry_of(const X509& certificate);
/// When a list of revoked certificates runs out, if it says so.
struct list_end {
  unix_time_ms at;
  std::string text;  ///< for a person
};
/// Of those in the store, the list that runs out first. For a store that nobody verifies with yet.
std::optional<list_end> first_end_of_lists(X509_STORE& store);
/// Why it is not valid now: it has expired, or its time is yet to come.
std::optional<std::string> out_of_time(const X509& certificate);

}  // namespace kaiku
