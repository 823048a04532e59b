#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "customerledger/v1/common.pb.h"
#include "customerledger/v1/event.pb.h"

// What every part of the house asks about an event without knowing its body. Pure; any thread.
namespace ledger::policy {

// The field name of the event body numbered `event_type`, e.g. "customer_registered"; empty if this release
// does not know the number. The text lives for ever.
absl::string_view EventName(uint32_t event_type);

// The number of the event body named `name`; 0 if there is none.
uint32_t EventTypeByName(absl::string_view name);

// The number of the body that is set; 0 if none is that this release knows.
uint32_t EventTypeOf(const customerledger::v1::Event& event);

// The customer the event is about: its body's customer_id; empty if it has none.
std::string CustomerIdOf(const customerledger::v1::Event& event);

// What the event is about, as callers see it, the principal subject first, none twice. Customer events: the
// customer; CustomersMerged, CustomersUnmerged, CustomersLinked, ClaimJoined: both customers. Staff and
// presence events and breaches: the staff member; presence at a site: the site as well. Rotations: the site.
// Receptions: the customer and the site. Lists: the list and every customer on it. Policies: "policy". Calendars: their
// id. LedgerCreated and LineageStarted: "ledger". Announcements and refusals: a record named after the event,
// so that they never count as a customer's own event. Events without a customer: a record under their own id
// (case_id, report_id, list_id ...), or named after the event where they have none. A subject may have an
// empty id where the event leaves a required field out; validation refuses it. Empty: no body.
std::vector<customerledger::v1::Subject> SubjectsOf(const customerledger::v1::Event& event);

}  // namespace ledger::policy
