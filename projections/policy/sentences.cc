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
        "{claim_by=signature}A customer is claimed by the signature on the card of a registration; the first "
        "signature "
        "owns, and until then the claim waits.",
        "{claim_by=approval}A customer is claimed by the approval of a registration's profile; until then "
        "the claim "
        "waits.",
        "{claim_by=invitation}A customer is claimed by a confirmed invitation to an occasion, for that "
        "occasion.",
        "{by_recorded_assignment?}Only an owner that an import recorded is an owner; nobody owns by "
        "claiming.",
        "{second_claim_learns=customer}Whoever registers a customer that is already there learns its id.",
        "{second_claim_learns=owner}Whoever registers a customer that is already there learns its id, and "
        "who owns "
        "it since when.",
        "{form_time_counts?}The time written on a form decides which claim is earlier, if the form was "
        "handed in in "
        "time; from its receipt otherwise.",
        "{next_claim_succeeds?}When the owner's claim ends, the earliest claim that is still alive owns."}},
      {"Invitations",
       {"The list of a day's invitations is handed in until {list_cut_off}; whose list was on time goes "
        "before "
        "whose list was late, then the earlier invitation.",
        "A late list costs the head of the unit {late_breach_amount}."}},

      // Mechanism 3.
      {"Protection",
       {"For {period} from the day of the claim nobody else's claim counts; after that the owner stays, but "
        "a later "
        "registration by somebody else wins."}},
      {"Dormancy",
       {"[{needs_each?}Each of these must happen|At least one of these must happen] again within {period}, "
        "counted "
        "from the last time or the start of the ownership: {evidence}; otherwise [{result=open to "
        "others}others may "
        "court the customer|the customer goes to the public pool]."}},
      {"CardLife",
       {"A card is void unless its holder calls within {first} of the day from which it counts.",
        "A card is void unless its holder calls again within {further} of the call-back before.",
        "Whose void card is replaced by somebody else's pays {replaced_amount}."}},
      {"SignedCallBack",
       {"Call-back {number} is to be signed within {within}: its own date counts then, otherwise the date of "
        "the "
        "signature."}},
      {"SmsStreak",
       {"{length} call-backs in a row by short message alone end a card[, counted from call-back "
        "{from_number} on|]."}},
      {"Bypass",
       {"Who is served by others for {share_basis_points} or more of a calendar month's consumptions leaves "
        "the "
        "owner at its end."}},
      {"Lapse", {"What is recorded later than {recorded_within} after its day keeps nothing alive."}},

      // Consumptions.
      {"Consumption",
       {"{needs_sms?}A consumption counts only if the confirming short message of its reservation was sent.",
        "{needs_approval?}A consumption counts only if the profile was approved when it was reserved."}},

      // Mechanism 4.
      {"Pool", {"{claim_by_registration?}Whoever registers a customer without an owner takes it."}},
      {"WakeUp",
       {"A public customer goes to whoever received it most often in a calendar month, with at least "
        "{receptions} "
        "receptions; where several share the highest count it stays public."}},
      {"DailyCap",
       {"One person takes at most {customers} customers from the pool in a day; giving them up again does "
        "not help."}},
      {"CoolDown",
       {"A former owner may not take a customer back for {period} from the day the ownership ended, whoever "
        "owned it "
        "in between."}},

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

// Messages that stand within a sentence.
const std::map<absl::string_view, absl::string_view>& Phrases() {
  static const auto* const table = new std::map<absl::string_view, absl::string_view>{
      {"AnyNeed", "one of: {needs}"},
      {"ByRole", "{field} holds[ all of the roles {all_of}|][ one of the roles {any_of}|]"},
      {"CreditPart", "{basis_points} to the {role}"},
      {"Decider", "[the role {role}|anybody][ of {unit_id}|]"},
      {"Earlier",
       "[{none?}no earlier event|an earlier event] of {events}[, with {last_where}|][ within {within}|]"},
      {"GradeMatch", "the grade {classes} of the scheme \"{scheme}\""},
      {"MeasureRange",
       "[at least {at_least_milli}|more than {more_than_milli}|no lower bound], [at most "
       "{at_most_milli}|less than "
       "{less_than_milli}|no upper bound]"},
      {"NamedStaff", "{field} of {event}"},
      {"NotBefore", "not before {period} after {events}"},
      {"OccasionDate", "[{year}-|]{month}-{day}"},
      {"ProfileMatch", "the profile's {field} being [{any_of}|given]"},
      {"Settled", "nothing open of {opened} (ended by {closed})"},
      {"TimeWindow", "at a time of day[ from {from}|][ until {until}|]"},
  };
  return *table;
}

}  // namespace

absl::string_view PhrasePatternOf(const google::protobuf::Descriptor& type) {
  const auto found = Phrases().find(type.name());
  return found == Phrases().end() ? absl::string_view() : found->second;
}

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
      {"facts", "Facts about a customer"},
      {"ownership", "Claim and owner"},
  };
  const auto found = titles->find(field.name());
  if (found != titles->end()) return std::string(found->second);
  std::string words = FieldWords(field);
  if (!words.empty()) words[0] = absl::ascii_toupper(words[0]);
  return words;
}

}  // namespace ledger::policy
