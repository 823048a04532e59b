#include "projections/policy/sentences.h"

#include <map>
#include <string>

#include "absl/strings/ascii.h"
#include "projections/policy/policy_words.h"

namespace ledger::policy {
namespace {

using Table = std::map<absl::string_view, std::vector<absl::string_view>>;

// By the name of the message.
// NOLINTBEGIN(bugprone-suspicious-missing-comma): a sentence may be longer than a line.
const Table& Sentences() {
  static const auto* const table = new Table{
      {"Policy",
       {"The policy \"{id}\"[: {title}|].", "Phone numbers without a country code belong to {phone_region}.",
        "Workdays are those of the calendar \"{calendar_id}\"."}},
      {"BusinessTime",
       {"These count when they are recorded, because the recording is the act: {counted_when_recorded}; "
        "everything "
        "else counts when it occurred."}},
      {"CustomerFact",
       {"Fact \"{name}\"[ ({meaning})|]: holds after [{times} of |]{established_by}[, until "
        "{withdrawn_by}|][; its "
        "value is what they say in {value_field}|]."}},
      {"FactNeeded", {"The fact \"{fact}\" is needed."}},

      // Mechanism 1.
      {"Registration", {"A registration must bring {required_fields}."}},
      {"FieldValidator",
       {"The field \"{field}\" is checked[, where {where_field} is \"{where_value}\"|, where {where_field} "
        "is not "
        "given|]: {kind}[ of {digits} digits|][, beginning with {mobile_prefix}|][: {values}|]."}},
      {"StaffExcluded", {"Staff do not become customers; the field {form_field} tells who is staff."}},
      {"RegistrationStage", {"The profile has the part \"{name}\"[, which needs {required_fields}|]."}},
      {"Review",
       {"A complete profile is reviewed within {within}.",
        "Reviewers are those who hold a role of {roles}."}},
      {"ReReview", {"It is reviewed again after a {cause}."}},
      {"IncompleteDeletion",
       {"A profile that is still incomplete {after} after the registration is deleted."}},
      {"Filing",
       {"The form is handed in[ within {within}| on the same day until {same_day_until}|] of {counted_from}"
        "[; of a customer only the first counts{first_only?}|].",
        "It is handed in by {done_by}.",
        "{late=receipt counts}A late form counts from its receipt, not from the time written on it."}},
      {"FilingGrace",
       {"Where the form says why it comes late it may come until {next_day_until} of the following day."}},

      // Mechanism 2.
      {"OwnershipRules",
       {"{claim_by=registration}A customer is claimed by registering it; the first claim owns.",
        ("{claim_by=signature}A customer is claimed by the signature on the card of a registration; the "
         "first "
         "signature owns, and until then the claim waits."),
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

      // Mechanism 5.
      {"HandOverProcedure",
       {("[Hand-overs of the kind {kinds}|All other hand-overs] go by the steps below; meanwhile "
         "[{owner_meanwhile=nobody}nobody owns the customer, and it is not public "
         "either|{owner_meanwhile=receiver}the "
         "receiver owns it, and gives it back if the hand-over is cancelled|the former owner owns it]."),
        "{without_owner?}Only customers that nobody owns any longer are handed over like this.",
        "{receiver_of_other_unit?}The receiver must belong to another unit than the owner.",
        "The receiver must have the role {receiver_roles}.",
        "{filing=anew}Protection and the first call-back start again with the receiver.",
        "{reason_required?}The proposal must say why.",
        "{proposer_required?}The proposal must say who proposes it.",
        "Besides the owner, whoever has the role {cancel_roles} may cancel."}},
      {"HandOverAct",
       {"[{post=same}Between the same posts: |{post=different}Between different posts: |]{step}"
        "[, by whoever has the role {roles}|][, by the owner{by_owner?}|][, by the receiver{by_receiver?}|]"
        "[{may_be_skipped?}, which may be skipped|][{receiver_owns?}; from then on the receiver owns|]."}},
      {"HandOverReview",
       {"[Whoever has the role {reviewer_roles}|Somebody] approves every customer that was handed over, once "
        "the "
        "receiver has submitted it; until then nothing that is reserved or consumed counts."}},

      // Mechanism 10.
      {"Dispute",
       {"{levels_in_order?}No level of a dispute may be passed over.",
        "{settled_at_deal?}A deal settles claims: one that was made after it is not heard."}},
      {"DisputeLevel",
       {"[By {reached_by} disputes come to|Disputes begin on] the level \"{name}\"[, through whoever has the "
        "role "
        "{step_roles}|]; there [{parties_decide?}the parties may settle it|][ whoever has the role "
        "{decider_roles} "
        "decides|][{is_final?}, which is final|]."}},
      {"DisputeForfeit",
       {"{steps} costs the parties their credit, which goes to [the unit {unit_id}|the owner's unit]."}},

      // Mechanism 6.
      {"GradeScheme",
       {"Customers are graded by the scheme \"{name}\"[; until somebody grades them they are "
        "\"{initial_class}\"|][; {hidden_from_customer?}the customer must not learn the class|].",
        "A class is decided by {deciders}, who must all agree.",
        "The first class is decided by {first_deciders}, who must all agree.",
        "{proposal_first?}A change of class must be proposed before it is decided[, by {proposers}|]."}},
      {"GradeClass",
       {"Class \"{name}\"[: {meaning}|][; for values of {range}|][; for those who expect to buy within "
        "{within}|][; given by {given_by}|][; given when one of the facts {given_by_facts} begins to hold|]."
        "[ Ended by {ended_by}.|]",
        "Class \"{name}\" is decided by {deciders}.",
        "Customers of class \"{name}\" go before those of a lower number than {priority}[ in "
        "{priority_services}|]."}},
      {"RangeVariant",
       {"Where the fact \"{fact}\" holds, the range is another[: {range}|][; the lower bound times "
        "{lower_bound_per_mille} thousandths|][; the upper bound times {upper_bound_per_mille} "
        "thousandths|]."}},
      {"Responsible",
       {"Such customers are looked after by [the level {level}|][ ({unit})|][, watched over by "
        "{monitored_by}|].",
        "{others_need_authority?}An owner of another level needs a letter of authority."}},
      {"GradeMeasure",
       {"The class follows from the figure \"{metric}\" ({window}).",
        "{takes_effect_on_approval?}A measured class takes effect only when its deciders agree."}},
      {"ManagedAs",
       {"Where the fact \"{fact}\" holds[ with a value of {range}|], the customer is managed by the rules of "
        "[class "
        "\"{class_name}\"|the next more demanding class]."}},
      {"GradeReturn",
       {"The class follows from the time between two of {visit}.",
        "A return later than {late_after} is flagged.",
        "Without a visit for {away_after} the customer falls into class \"{away_class}\"."}},
      {"ReturnBand", {"Back[ within {within}| at any time]: class \"{class_name}\"."}},

      // Mechanism 7.
      {"Cadence",
       {"[Customers of class \"{class_name}\" in the scheme \"{scheme}\" are|Every customer is] called "
        "[{once?}once|every {every}], counted from the later of the last contact and the change of grade[; "
        "only where "
        "the fact \"{fact}\" holds|][; only where the fact \"{unless_fact}\" does not hold|].",
        "{first_same_day?}The first call-back after the class was given is due by the end of that day.",
        "It is overdue only {hard_limit} after."}},
      {"CallBack",
       {"The first call-back is due {first} after the registration[, and overdue only after "
        "{first_hard_limit}|].",
        "The second call-back is due {second} after the first contact.",
        "{agreed_time_counts?}A time agreed with the customer replaces the computed one.",
        "An agreed time counts for at most {agreed_at_most} after the contact.",
        "After a contact that was not convenient the next call is due after {not_convenient}.",
        "{refusal_holds?}A customer who refused to talk until a time is not contacted before it.",
        "{false_contacts_do_not_count?}A contact that a review found false no longer counts.",
        "{planned_contacts_count?}Contacts planned ahead are due as planned.",
        "All call-backs end with {ended_by}.", "They begin again with {resumed_by}.",
        "Tracking may end only for {tracking_end_reasons}.", "Call-backs are made by {channels}."}},
      {"FollowUp",
       {"Follow-up \"{name}\": from {from}[ until {until}|][; due after {due}|][; then every {every}|][; the "
        "first "
        "contact settles it{once?}|][; also after tracking has ended{after_tracking_ended?}|]."}},
      {"Occasion",
       {"Occasion \"{name}\"[ on {dates}|][ on the day of the fact \"{date_fact}\"|][: within {within} of "
        "{on}|][; only where the fact \"{fact}\" holds|][; by {channel}|][; also after tracking has "
        "ended{after_tracking_ended?}|]."}},
      {"QuietHours",
       {"The company does not call from {from} to {until}[, by {channels}|][, unless the fact "
        "\"{unless_fact}\" "
        "holds|]."}},
      {"CallWindow",
       {"Better hours[ on the weekdays {weekdays} (1 is Monday)|][ where the fact \"{fact}\" holds|][ where "
        "the fact "
        "\"{unless_fact}\" does not hold|]:[ from {from}|][ until {until}|]."}},
      {"ChannelRule",
       {"[By {channels}|By any channel][ for {purposes}|] the company [{forbidden?}never writes or "
        "calls|writes or "
        "calls on conditions][; only where the fact \"{needs_fact}\" holds|][; not where the fact "
        "\"{unless_fact}\" "
        "holds|]."}},

      // Mechanism 8, and what events need.
      {"Duty",
       {"Duty \"{name}\"[: {says}|].", "It is due upon {on}[, the first of them only{first_only?}|].",
        "It is due when the duty \"{after_overdue}\" is overdue.", "It is done by {done_by}.",
        "It ends without consequence by {ended_by}."}},
      {"Deadline",
       {"[By the end of the same day{same_day?}|Within {period}|By day {day_of_month} of the month|By "
        "workday "
        "{workday_of_month} of the month|By the end of the {end_of}|By the time in the event's {field}][, "
        "until "
        "{at}|]."}},
      {"Quota",
       {"In each {each}[ at least {at_least} times|][, of them {share_basis_points} or more "
        "{share_where}|][; the "
        "first such stretch asks for nothing{first_stretch_free?}|]."}},
      {"StaffTrigger",
       {"It is due when whoever is in charge, named last by {in_charge}, becomes {statuses}."}},
      {"Requirement",
       {"{effect=refuse}Refused without what is needed below: {on}[. {says}|].",
        "{effect=flag}Flagged without what is needed below: {on}[. {says}|]."}},
      {"Consequence",
       {"Otherwise it costs {amount} each time[, borne by {borne_by}|].", "Otherwise: {text}.",
        "Times are counted within each {counted_in}[, together with those of the group \"{group}\"|]."}},
      {"Escalation", {"From time {from_time} on[ it costs {amount}|][; {text}|]."}},

      // Mechanism 9.
      {"CreditCase",
       {"Case: {when}[; afterwards the receiver owns the customer{owner_after=receiver}|; afterwards the "
        "first owns "
        "the customer{owner_after=first}|]."}},
      {"CreditVectors", {"Performance: {performance}.", "Bonus: {bonus}."}},
      {"CreditCondition", {"A deal counts only when it is {need}."}},
      {"ReferralReward",
       {"Who brought a customer earns[ {points} points|][ {amount}|] ({kind}) for {reward_for}[, for every "
        "full "
        "{per_full}|]."}},

      // Mechanism 10.
      {"DisputeLevel",
       {"Level \"{name}\"[, reached by {reached_by}|][ of a role of {step_roles}|][; the parties may settle "
        "it{parties_decide?}|][; decided by a role of {decider_roles}|][; its decision is "
        "final{is_final?}|]."}},
      {"DisputeForfeit",
       {"By {steps} the parties lose their credit to [the unit {unit_id}|the unit of the customer's "
        "owner]."}},
      {"Dispute",
       {"{levels_in_order?}No level may be passed over.",
        "{settled_at_deal?}A claim that was made after the deal in dispute is not heard."}},

      // Who receives.
      {"Reception",
       {"{rotation?}The staff of a site take turns in receiving visitors.",
        "A turn is taken by those who are {takes_turn_when}.",
        "Visitors of their own are received by those who are {receives_own_when}.",
        "Who is passed over while {catches_up_after} catches the turn up."}},
      {"ReceptionCase",
       {"A visitor who is {when} is received by the first who is there of: {receivers}[; it uses up the "
        "turn{counts?}|; it uses up no turn{!counts}]."}},
  };
  return *table;
}
// NOLINTEND(bugprone-suspicious-missing-comma)

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
