#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "customerledger/v1/personal.pb.h"

// Phone numbers and e-mail addresses as keys by which a customer is recognised. Every function may run on any
// thread.
namespace ledger::vault {

// One writing for all writings of a contact point.
// Phone: E.164, e.g. "+493012345678", with ";ext=5" behind it if it has an extension; a number without "+" is
// read in
//   `region` (two capital letters, e.g. "DE"). The number need not be assigned, only possible: tables of
//   assigned ranges age, and a refused number would be a lost customer.
// E-mail: without spaces around it, ASCII letters lower-case.
// kInvalidArgument: neither; the message says what is allowed, and does not repeat the value.
absl::StatusOr<std::string> NormalizeContactPoint(customerledger::v1::ContactPointKind kind,
                                                  absl::string_view value, absl::string_view region);

// The subject id of a contact point: the first 16 bytes, as 32 hex digits, of
// HMAC-SHA256(contact_key, kind as 1 byte || normalized), so that the log holds no number that could be read
// or, without the vault, guessed. `contact_key` is Vault::ContactKey's.
std::string ContactPointId(absl::string_view contact_key, customerledger::v1::ContactPointKind kind,
                           absl::string_view normalized);

// Whether `customer_id` is, by all appearance, an e-mail address or a phone number, which must not become an id
// because ids cannot be erased. A phone number is only digits, spaces and + - . / ( ), and either starts with "+"
// and has 7 to 15 digits, or has at least 10 and is an assigned number as dialled in `region` ("" to leave this
// out). One digit, a dash and more digits ("1-364285768") are a series, not a phone number.
bool LooksLikeContactPoint(absl::string_view customer_id, absl::string_view region);

}  // namespace ledger::vault
