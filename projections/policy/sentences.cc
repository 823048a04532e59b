#include "projections/policy/sentences.h"

#include <map>
#include <string>

#include "absl/strings/ascii.h"
#include "projections/policy/policy_words.h"

namespace ledger::policy {
namespace {

using Table = std::map<absl::string_view, std::vector<absl::string_view>>;

// By the name of the message.
const Table& Sentences() {
  static const auto* const table = new Table{
      {"Policy",
       {"The policy \"{id}\"[: {title}|].", "Phone numbers without a country code belong to {phone_region}.",
        "Workdays are those of the calendar \"{calendar_id}\"."}},
      {"BusinessTime",
       {"These count when they are recorded, because the recording is the act: {counted_when_recorded}; "
        "everything "
        "else counts when it occurred."}},

      // Mechanism 1.
      {"Registration", {"A registration must bring {required_fields}."}},

      // Mechanism 2.
      {"OwnershipRules",
       {"{claim_by=registration}A customer is claimed by registering it; the first claim owns.",
        "{by_recorded_assignment?}Only an owner that an import recorded is an owner; nobody owns by "
        "claiming.",
        "{second_claim_learns=customer}Whoever registers a customer that is already there learns its id.",
        "{second_claim_learns=owner}Whoever registers a customer that is already there learns its id, and "
        "who owns "
        "it since when."}},

      // Mechanism 3.
      {"Protection",
       {"For {period} from the day of the claim nobody else's claim counts; after that the owner stays, but "
        "a later "
        "registration by somebody else wins."}},
      {"Dormancy",
       {"Without {evidence} by which the owner keeps the customer, the claim ends {period} after the last of "
        "them, or "
        "after the start of the ownership, and the customer is public."}},

      // Mechanism 4.
      {"Pool", {"{claim_by_registration?}Whoever registers a customer without an owner takes it."}},

      // Mechanism 5.
      {"HandOver",
       {"A customer is handed over in these steps: {steps}; meanwhile [{owner_meanwhile=nobody}nobody owns "
        "it, and "
        "it is not public either|the former owner owns it]."}},

      // Mechanism 6.
      {"GradeScheme",
       {"Customers are graded by the scheme \"{name}\"[; until somebody grades them they are "
        "\"{initial_class}\"|][; {hidden_from_customer?}the customer must not learn the class|]."}},
      {"GradeClass", {"Class \"{name}\"[: {meaning}|]."}},

      // Mechanism 7.
      {"Cadence",
       {"[Customers of class \"{class_name}\" in the scheme \"{scheme}\" are|Every customer is] called "
        "every {every}, counted from the later of the last contact and the change of grade."}},
      {"CallBack",
       {"The first call-back is due {first} after the registration.",
        "{agreed_time_counts?}A time agreed with the customer replaces the computed one."}},

      // Who receives.
      {"Reception", {"{rotation?}The staff of a site take turns in receiving visitors."}},
  };
  return *table;
}

}  // namespace

const std::vector<absl::string_view>& SentencesOf(const google::protobuf::Descriptor& type) {
  static const auto* const none = new std::vector<absl::string_view>;
  const auto found = Sentences().find(type.name());
  return found == Sentences().end() ? *none : found->second;
}

std::vector<absl::string_view> TypesWithSentences() {
  std::vector<absl::string_view> names;
  names.reserve(Sentences().size());
  for (const auto& [name, sentences] : Sentences()) names.push_back(name);
  return names;
}

std::string SectionTitle(const google::protobuf::FieldDescriptor& field) {
  static const auto* const titles = new std::map<absl::string_view, absl::string_view>{
      {"business_time", "Which clock counts"},
      {"pool", "Public pool"},
      {"hand_over", "Hand-over"},
      {"grade_schemes", "Grades"},
      {"call_back", "Call-backs"},
      {"credit", "Credit of a deal"},
      {"dispute", "Disputes"},
      {"rule_texts", "The rules"},
  };
  const auto found = titles->find(field.name());
  if (found != titles->end()) return std::string(found->second);
  std::string words = FieldWords(field);
  if (!words.empty()) words[0] = absl::ascii_toupper(words[0]);
  return words;
}

}  // namespace ledger::policy
