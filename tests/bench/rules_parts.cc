#include <google/protobuf/text_format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "customerledger/v1/record.pb.h"
#include "projections/policy/event_names.h"
#include "projections/policy/policy_file.h"
#include "projections/policy/timeline.h"
#include "projections/rules/customer.h"
#include "storage/status_macros.h"
#include "tests/bench/parts.h"

namespace ledger::bench {
namespace {

namespace pb = ::customerledger::v1;

constexpr int64_t kStartSeconds = 1'767'225'600;  // 2026-01-01 00:00 UTC

// Half a year of one customer, with something for every mechanism. A policy ignores what it has no rule for, as it
// ignores it in service.
constexpr const char* kYear[] = {
    "customer_registered { registrar_id: 'a' card_id: 'k' fields { key: 'source' value: 'walk-in' } }",
    "registration_signed { card_id: 'k' signer_id: 'l' }",
    "profile_submitted { stage: '1' submitted_by: 'a' }",
    "profile_reviewed { result: REVIEW_RESULT_APPROVED reviewer_id: 'm' }",
    "grade_changed { scheme: 'intent' to_class: 'B' decided_by: 'a' }",
    "contact_logged { staff_id: 'a' contact_id: 'c1' channel: CONTACT_CHANNEL_PHONE outcome: "
    "CONTACT_OUTCOME_REACHED }",
    "visit_logged { staff_id: 'a' visit_id: 'v1' direction: DIRECTION_INBOUND came_before: CAME_BEFORE_YES }",
    "reservation_made { reservation_id: 'r' taken_by: 'a' path: RESERVATION_PATH_VIA_REFERRER "
    "sms_sent_time { time { seconds: 1 } } }",
    "deal_recorded { deal_id: 'd1' kind: DEAL_KIND_CONSUMPTION reservation_id: 'r' amount { minor_units: "
    "30000 "
    "currency_code: 'CNY' } }",
    "contact_logged { staff_id: 'a' contact_id: 'c2' channel: CONTACT_CHANNEL_SMS outcome: "
    "CONTACT_OUTCOME_REACHED }",
    "contact_reviewed { contact_id: 'c2' reviewer_id: 'l' verdict: CONTACT_VERDICT_VALID }",
    "metric_recorded { metric: 'revenue' value_milli: 200000000 }",
    "contact_logged { staff_id: 'a' contact_id: 'c3' channel: CONTACT_CHANNEL_PHONE outcome: "
    "CONTACT_OUTCOME_REACHED }",
    "visit_logged { staff_id: 'b' visit_id: 'v2' direction: DIRECTION_INBOUND requested_staff_id: 'b' "
    "refused_staff_id: 'a' }",
    "deal_recorded { deal_id: 'd2' kind: DEAL_KIND_SALE closed_by: 'b' amount { minor_units: 1000000 "
    "currency_code: 'CNY' } bonus { minor_units: 10000 currency_code: 'CNY' } }",
    "payment_received { deal_id: 'd2' kind: PAYMENT_KIND_FULL amount { minor_units: 1000000 currency_code: "
    "'CNY' } }",
    "complaint_filed { complaint_id: 'x' channel: 'phone' }",
    "contact_logged { staff_id: 'b' contact_id: 'c4' channel: CONTACT_CHANNEL_PHONE outcome: "
    "CONTACT_OUTCOME_REACHED }",
};

pb::Record MakeRecord(uint64_t position, pb::Event event) {
  pb::Record record;
  pb::RecordHeader& header = *record.mutable_header();
  header.set_position(position);
  header.mutable_recorded_time()->set_seconds(kStartSeconds + static_cast<int64_t>(position) * 86'400 * 2);
  *event.mutable_occurred_time()->mutable_time() = header.recorded_time();
  header.set_event_type(policy::EventTypeOf(event));
  *record.mutable_event() = std::move(event);
  return record;
}

absl::StatusOr<std::vector<pb::Record>> Year() {
  std::vector<pb::Record> records;
  for (const char* text : kYear) {
    pb::Event event;
    if (!google::protobuf::TextFormat::ParseFromString(text, &event)) {
      return absl::InternalError(absl::StrCat("this event does not parse: ", text));
    }
    const auto* reflection = event.GetReflection();
    const auto* body =
        reflection->GetOneofFieldDescriptor(event, pb::Event::descriptor()->FindOneofByName("body"));
    auto* message = reflection->MutableMessage(&event, body);
    message->GetReflection()->SetString(message, message->GetDescriptor()->FindFieldByName("customer_id"),
                                        "c");
    records.push_back(MakeRecord(records.size() + 2, std::move(event)));
  }
  return records;
}

struct Cost {
  std::string policy;
  std::vector<double> fold_ns, decide_ns;  // an event; one value a round
};

class Subject {
 public:
  Subject(const pb::Policy& policy, const std::vector<pb::Record>& records) {
    pb::Event adopted;
    *adopted.mutable_policy_adopted()->mutable_policy() = policy;
    timeline_.Apply(MakeRecord(1, std::move(adopted)));
    history_ = rules::BuildHistory(timeline_, records);
  }

  // Nanoseconds an event.
  absl::StatusOr<double> Fold(int times) {
    const absl::Time start = absl::Now();
    for (int i = 0; i < times; ++i) {
      LEDGER_ASSIGN_OR_RETURN(state_, rules::Fold(timeline_, history_));
    }
    return absl::ToDoubleNanoseconds(absl::Now() - start) /
           (times * static_cast<double>(history_.events.size()));
  }

  // Each event is decided on the customer as it stands in the end; a refusal costs as much as an acceptance.
  double Decide(int times) {
    rules::DecisionContext context;
    context.timeline = &timeline_;
    context.customer = &state_;
    context.recorded_time = history_.events.back().business_time;
    const absl::Time start = absl::Now();
    uint64_t accepted = 0;
    for (int i = 0; i < times; ++i) {
      for (const rules::HistoryEvent& event : history_.events) {
        if (rules::Decide(context, *event.event).ok()) ++accepted;
      }
    }
    accepted_ += accepted;
    return absl::ToDoubleNanoseconds(absl::Now() - start) /
           (times * static_cast<double>(history_.events.size()));
  }

 private:
  policy::Timeline timeline_;
  rules::History history_;
  rules::CustomerState state_;
  uint64_t accepted_ = 0;
};

}  // namespace

absl::StatusOr<PartReport> MeasureRules(const PartSettings& settings) {
  constexpr int kTimes = 50;
  LEDGER_ASSIGN_OR_RETURN(const std::vector<pb::Record> records, Year());
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(LEDGER_BENCH_POLICIES)) {
    if (entry.path().extension() == ".textproto") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  std::vector<Cost> costs;
  std::vector<Subject> subjects;
  subjects.reserve(files.size());
  for (const std::string& file : files) {
    std::ifstream in(file);
    std::stringstream text;
    text << in.rdbuf();
    std::vector<policy::PolicyFileError> errors;
    LEDGER_ASSIGN_OR_RETURN(const pb::Policy policy, policy::ParsePolicyText(text.str(), &errors));
    costs.push_back({policy.id(), {}, {}});
    subjects.emplace_back(policy, records);
  }
  // All policies in each round, so that a machine that slows down slows all of them.
  const absl::Time end = absl::Now() + settings.time;
  do {
    for (size_t i = 0; i < subjects.size(); ++i) {
      LEDGER_ASSIGN_OR_RETURN(const double fold, subjects[i].Fold(kTimes));
      costs[i].fold_ns.push_back(fold);
      costs[i].decide_ns.push_back(subjects[i].Decide(kTimes));
    }
  } while (absl::Now() < end);

  const auto base =
      std::find_if(costs.begin(), costs.end(), [](const Cost& c) { return c.policy == "default"; });
  if (base == costs.end()) return absl::NotFoundError("there is no policy \"default\"");
  const double base_cost = Median(base->fold_ns) + Median(base->decide_ns);
  PartReport report;
  report.Set("events", static_cast<double>(records.size()));
  double worst = 0;
  std::string richest;
  for (const Cost& cost : costs) {
    const double fold = Median(cost.fold_ns);
    const double decide = Median(cost.decide_ns);
    report.Set(absl::StrCat(cost.policy, "_fold_ns_per_event"), fold);
    report.Set(absl::StrCat(cost.policy, "_decide_ns_per_event"), decide);
    report.Set(absl::StrCat(cost.policy, "_to_default"), (fold + decide) / base_cost);
    if (fold + decide <= worst) continue;
    worst = fold + decide;
    richest = cost.policy;
  }
  report.SetText("richest", richest);
  report.SetRatio(worst, base_cost, "ns to fold and decide an event, richest policy beside the default",
                  "lower");
  return report;
}

}  // namespace ledger::bench
