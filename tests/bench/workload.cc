#include "tests/bench/workload.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace ledger::bench {
namespace {

namespace pb = ::customerledger::v1;

constexpr uint64_t kStride = 7919;  // prime, so that steps of it meet every customer once

// SplitMix64: a number that looks random, the same for the same input.
uint64_t Scatter(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

}  // namespace

Workload::Workload(std::string ledger, uint64_t customers, bool register_first, uint64_t seed)
    : ledger_(std::move(ledger)),
      customers_(customers % kStride == 0 ? customers + 1 : customers),
      register_first_(register_first),
      seed_(seed) {}

std::string Workload::CustomerId(uint64_t number) const { return absl::StrFormat("cust-%08d", number); }

std::string Workload::RandomCustomer() {
  return CustomerId(Scatter(seed_ + draws_.fetch_add(1)) % customers_);
}

void Workload::Fill(int events, pb::AppendRequest* request) {
  const uint64_t number = requests_.fetch_add(1);
  const uint64_t first_event = events_.fetch_add(static_cast<uint64_t>(events));
  const bool registers = register_first_ && first_event + static_cast<uint64_t>(events) <= customers_;
  const uint64_t base = Scatter(seed_ + draws_.fetch_add(1)) % customers_;
  // The present, so that events sort last, also after a registration that counts when it was recorded.
  const int64_t now_micros = absl::ToUnixMicros(absl::Now());
  request->set_ledger(ledger_);
  request->set_request_id(absl::StrFormat("%08x-%016x", seed_, number));
  while (request->events_size() < events) request->add_events();
  while (request->checks_size() < events) request->add_checks();
  for (int i = 0; i < events; ++i) {
    const uint64_t index = static_cast<uint64_t>(i);
    const uint64_t customer = registers ? first_event + index : (base + index * kStride) % customers_;
    const std::string id = CustomerId(customer);
    pb::SubjectCheck& check = *request->mutable_checks(i);
    check.mutable_subject()->set_kind(pb::SUBJECT_KIND_CUSTOMER);
    check.mutable_subject()->set_id(id);
    check.mutable_any();
    pb::Event& event = *request->mutable_events(i)->mutable_event();
    const int64_t micros = now_micros + i;
    event.mutable_occurred_time()->mutable_time()->set_seconds(micros / 1'000'000);
    event.mutable_occurred_time()->mutable_time()->set_nanos(
        static_cast<int32_t>(micros % 1'000'000 * 1'000));
    event.mutable_occurred_time()->set_utc_offset_seconds(28'800);
    const std::string staff = absl::StrCat("staff-", customer % 200);
    if (registers) {
      event.mutable_customer_registered()->set_customer_id(id);
      event.mutable_customer_registered()->set_registrar_id(staff);
    } else {
      pb::ContactLogged& contact = *event.mutable_contact_logged();
      contact.set_customer_id(id);
      contact.set_staff_id(staff);
      contact.set_channel(pb::CONTACT_CHANNEL_PHONE);
      contact.set_direction(pb::DIRECTION_OUTBOUND);
      contact.set_outcome(pb::CONTACT_OUTCOME_REACHED);
      contact.set_content("asked for the offer again, wants delivery in May");
    }
  }
}

}  // namespace ledger::bench
