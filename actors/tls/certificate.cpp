#include "kaiku/tls/certificate.hpp"

#include <array>
#include <ctime>
#include <memory>

#include <arpa/inet.h>
#include <openssl/x509v3.h>

namespace kaiku {
namespace {

struct names_deleter {
  void operator()(GENERAL_NAMES* x) const { GENERAL_NAMES_free(x); }
};
using general_names = std::unique_ptr<GENERAL_NAMES, names_deleter>;

std::string bytes_of(const ASN1_STRING* text) {
  const auto* begin = ASN1_STRING_get0_data(text);
  return {begin, begin + ASN1_STRING_length(text)};
}

/// An address as its 4 or 16 bytes stand in a certificate.
std::string address_text(const std::string& bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) return "?";
  std::array<char, INET6_ADDRSTRLEN> text{};
  const auto* made = ::inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  return made != nullptr ? made : "?";
}

std::string time_text(const ASN1_TIME* time) {
  std::tm parts{};
  std::array<char, 64> text{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "an unreadable time";
  const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
  return {text.data(), size};
}

unix_time_ms time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return {std::int64_t{::timegm(&parts)} * 1000};
}

}  // namespace

std::string names_in(const X509& certificate) {
  const general_names all{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr))};
  std::string out;
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const auto* one = sk_GENERAL_NAME_value(all.get(), i);
    std::string name;
    if (one->type == GEN_DNS) name = bytes_of(one->d.dNSName);
    if (one->type == GEN_IPADD) name = address_text(bytes_of(one->d.iPAddress));
    if (!name.empty()) out += (out.empty() ? "" : ", ") + name;
  }
  for (char& c : out)
    if (c < ' ' || c > '~') c = '?';
  return out.empty() ? "nobody" : out;
}

bool is_for(X509& certificate, const std::string& name) {
  if (X509_check_ip_asc(&certificate, name.c_str(), 0) == 1) return true;
  constexpr unsigned strict = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_WILDCARDS;
  return X509_check_host(&certificate, name.data(), name.size(), strict, nullptr) == 1;
}

unix_time_ms expires(const X509& certificate) {
  return time_of(X509_get0_notAfter(&certificate));
}

std::string expiry_of(const X509& certificate) {
  return time_text(X509_get0_notAfter(&certificate));
}

std::optional<list_end> first_end_of_lists(X509_STORE& store) {
  std::optional<list_end> out;
  const auto* const all = X509_STORE_get0_objects(&store);
  for (int i = 0; i < sk_X509_OBJECT_num(all); ++i) {
    const auto* list = X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(all, i));
    const auto* end = list == nullptr ? nullptr : X509_CRL_get0_nextUpdate(list);
    if (end != nullptr && (!out || time_of(end) < out->at)) out = {time_of(end), time_text(end)};
  }
  return out;
}

std::optional<std::string> out_of_time(const X509& certificate) {
  const auto* begin = X509_get0_notBefore(&certificate);
  if (X509_cmp_current_time(X509_get0_notAfter(&certificate)) < 0) return "it has expired at " + expiry_of(certificate);
  if (X509_cmp_current_time(begin) > 0) return "it is not valid before " + time_text(begin);
  return std::nullopt;
}

}  // namespace kaiku
