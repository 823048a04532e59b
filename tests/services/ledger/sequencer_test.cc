#include "services/ledger/sequencer.h"

#include <future>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status_metadata.h"
#include "tests/services/ledger/writer_fixture.h"

namespace ledger::services {
namespace {

namespace pb = ::customerledger::v1;
using Outcome = absl::StatusOr<pb::AppendResponse>;

class SequencerTest : public WriterTest {
 protected:
  void SetUp() override {
    WriterTest::SetUp();
    CreateLedger("l");
  }
};

TEST_F(SequencerTest, ALedgerBeginsWithItsCreationAndItsPolicy) {
  EXPECT_EQ(Position(), 2u);
  EXPECT_TRUE(RecordAt(1).event().has_ledger_created());
  EXPECT_TRUE(RecordAt(2).event().has_policy_adopted());
}

TEST_F(SequencerTest, AnAnswerNamesPositionVersionAndRule) {
  const Outcome outcome = Append(Registration("r-1", "c-1", "liu"));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->position().position(), 3u);
  EXPECT_EQ(outcome->position().lineage(), log_->lineage());
  ASSERT_EQ(outcome->events_size(), 1);
  EXPECT_EQ(outcome->events(0).subjects(0).version(), 1u);
  EXPECT_FALSE(outcome->events(0).rule_id().empty());
}

TEST_F(SequencerTest, ARetryAnswersTheFirstResultAlsoAfterARestart) {
  const pb::AppendRequest request = Registration("r-1", "c-1", "liu", "+86 138 0013 8000");
  const Outcome first = Append(request);
  ASSERT_TRUE(first.ok()) << first.status();
  const Outcome second = Append(request);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(second->replayed());
  EXPECT_EQ(second->position().position(), first->position().position());
  Restart();
  const Outcome third = Append(request);
  ASSERT_TRUE(third.ok()) << third.status();
  EXPECT_TRUE(third->replayed());
  EXPECT_EQ(Position(), 3u);
}

TEST_F(SequencerTest, AReusedRequestIdIsRefusedAndARefusalIsNotRemembered) {
  ASSERT_TRUE(Append(Registration("r-1", "c-1", "liu")).ok());
  const Outcome reused = Append(Registration("r-1", "c-2", "liu"));
  EXPECT_EQ(reused.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReasonOf(reused.status()), "REQUEST_ID_REUSED");

  pb::AppendRequest strict = Contact("r-2", "c-9", "liu");
  strict.mutable_checks(0)->mutable_exists();
  EXPECT_EQ(Append(strict).status().code(), absl::StatusCode::kAborted);
  ASSERT_TRUE(Append(Registration("r-3", "c-9", "liu")).ok());
  EXPECT_TRUE(Append(strict).ok());
}

TEST_F(SequencerTest, ARetryIsRecognisedWhateverOrderItsMapsComeIn) {
  const auto registration = [](bool ascending) {
    pb::AppendRequest request = Registration("r-1", "c-1", "liu");
    auto& fields =
        *request.mutable_events(0)->mutable_event()->mutable_customer_registered()->mutable_fields();
    for (int i = 0; i < 40; ++i) fields[absl::StrCat("field-", ascending ? i : 39 - i)] = "x";
    return request;
  };
  ASSERT_TRUE(Append(registration(true)).ok());
  for (int i = 0; i < 20; ++i) {
    const Outcome again = Append(registration(i % 2 == 0));
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_TRUE(again->replayed());
  }
}

TEST_F(SequencerTest, AnAbsurdRecordedTimeIsRefusedAndBlocksNothing) {
  CreateLedger("what-if", /*simulated=*/true);
  pb::AppendRequest request = Registration("r-1", "c-1", "liu");
  request.set_ledger("what-if");
  request.mutable_recorded_time()->set_seconds(900'000'000'000);
  EXPECT_EQ(ReasonOf(Append(request).status()), "BAD_TIME");
  request.mutable_recorded_time()->set_seconds(1'800'000'000);
  EXPECT_TRUE(Append(request).ok());
}

TEST_F(SequencerTest, AllFailingChecksAreToldAtOnceWithTheActualVersions) {
  ASSERT_TRUE(Append(Registration("r-1", "c-1", "liu")).ok());
  pb::AppendRequest request = Contact("r-2", "c-1", "liu");
  request.mutable_checks(0)->set_version(7);
  pb::AppendRequest other = Contact("", "c-2", "liu");
  *request.add_events() = other.events(0);
  *request.add_checks() = other.checks(0);
  request.mutable_checks(1)->mutable_exists();
  const absl::Status status = Append(request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ReasonOf(status), "CHECK_FAILED");
  EXPECT_EQ(status.GetPayload("actual_version.0"), absl::Cord("1"));
  EXPECT_EQ(status.GetPayload("actual_version.1"), absl::Cord("0"));
  EXPECT_EQ(status.GetPayload("subject.1"), absl::Cord("c-2"));
}

TEST_F(SequencerTest, ARequestEntersWholeOrNotAtAll) {
  ASSERT_TRUE(Append(Registration("r-1", "c-1", "liu")).ok());
  pb::AppendRequest request = Contact("r-2", "c-1", "liu");
  pb::Event& grade = *request.add_events()->mutable_event();
  *grade.mutable_occurred_time() = request.events(0).event().occurred_time();
  grade.mutable_grade_changed()->set_customer_id("c-1");
  grade.mutable_grade_changed()->set_scheme("no-such-scheme");
  grade.mutable_grade_changed()->set_to_class("Z");
  EXPECT_FALSE(Append(request).ok());
  EXPECT_EQ(Position(), 3u);
  // And nothing of it is left in what later decisions see.
  const Outcome next = Append(Contact("r-3", "c-1", "liu"));
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_EQ(next->events(0).subjects(0).version(), 2u);
}

TEST_F(SequencerTest, OfTwoClaimsInsideOneGroupCommitExactlyOneWins) {
  ASSERT_TRUE(Append(Registration("warm", "c-0", "liu")).ok());
  gated_->Close();
  std::promise<Outcome> blocker;
  ASSERT_TRUE(
      Submit(Contact("block", "c-0", "liu"), [&](Outcome o) { blocker.set_value(std::move(o)); }).ok());
  gated_->AwaitCommitAtGate();
  // Both wait behind the commit at the gate, and so enter one group.
  std::promise<Outcome> liu;
  std::promise<Outcome> chen;
  const uint64_t commits_before = log_->CommitNumber();
  ASSERT_TRUE(
      Submit(Registration("r-1", "c-1", "liu", "13800138000"), [&](Outcome o) { liu.set_value(o); }).ok());
  ASSERT_TRUE(Submit(Registration("r-2", "c-2", "chen", "+86 138-0013-8000"), [&](Outcome o) {
                chen.set_value(o);
              }).ok());
  gated_->Open();
  const Outcome first = liu.get_future().get();
  const Outcome second = chen.get_future().get();
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_LE(log_->CommitNumber() - commits_before, 3u);
  EXPECT_FALSE(first->events(0).has_joined());
  ASSERT_TRUE(second->events(0).has_joined());
  EXPECT_EQ(second->events(0).joined().customer_id(), "c-1");
  EXPECT_EQ(second->events(0).joined().owner().staff_id(), "liu");
  EXPECT_FALSE(second->events(0).joined().claim_owns());
  ASSERT_EQ(second->events_size(), 2);
  EXPECT_TRUE(second->events(1).derived());
  const pb::Record joined = RecordAt(second->events(1).position());
  EXPECT_EQ(joined.header().caused_by(), second->events(0).position());
  EXPECT_EQ(joined.event().claim_joined().registration_position(), second->events(0).position());
}

TEST_F(SequencerTest, OfTwoRequestsThatRequireTheSameVersionExactlyOneWins) {
  ASSERT_TRUE(Append(Registration("r-0", "c-1", "liu")).ok());
  gated_->Close();
  std::promise<Outcome> blocker;
  ASSERT_TRUE(
      Submit(Registration("block", "c-0", "liu"), [&](Outcome o) { blocker.set_value(std::move(o)); }).ok());
  gated_->AwaitCommitAtGate();
  std::vector<std::future<Outcome>> answers;
  for (int i = 0; i < 8; ++i) {
    auto promise = std::make_shared<std::promise<Outcome>>();
    answers.push_back(promise->get_future());
    pb::AppendRequest request = Contact(absl::StrCat("r-", i + 1), "c-1", "liu");
    request.mutable_checks(0)->set_version(1);
    ASSERT_TRUE(Submit(request, [promise](Outcome o) { promise->set_value(std::move(o)); }).ok());
  }
  gated_->Open();
  int accepted = 0;
  for (auto& answer : answers) accepted += answer.get().ok();
  EXPECT_EQ(accepted, 1);
}

TEST_F(SequencerTest, NothingIsAnsweredBeforeItIsOnDisk) {
  gated_->Close();
  std::atomic<int> answered{0};
  std::promise<void> last;
  ASSERT_TRUE(Submit(Registration("r-1", "c-1", "liu"), [&](Outcome) { ++answered; }).ok());
  gated_->AwaitCommitAtGate();
  // A refusal that rests on what is not on disk yet waits with it.
  pb::AppendRequest refused = Contact("r-2", "c-1", "liu");
  refused.mutable_checks(0)->mutable_no_subject();
  ASSERT_TRUE(Submit(refused, [&](Outcome o) {
                EXPECT_EQ(o.status().code(), absl::StatusCode::kAborted);
                ++answered;
                last.set_value();
              }).ok());
  EXPECT_EQ(answered.load(), 0);
  gated_->Open();
  last.get_future().wait();
  EXPECT_EQ(answered.load(), 2);
}

TEST_F(SequencerTest, AFailedCommitLeavesTheOutcomeUnknownAndStopsEverything) {
  gated_->FailCommits();
  const Outcome outcome = Append(Registration("r-1", "c-1", "liu"));
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(outcome.status()), "OUTCOME_UNKNOWN");
  EXPECT_EQ(Append(Registration("r-2", "c-2", "liu")).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(failures_.load(), 1);
  Restart();
  const Outcome retried = Append(Registration("r-1", "c-1", "liu"));
  EXPECT_TRUE(retried.ok()) << retried.status();
}

TEST_F(SequencerTest, AFullQueueRefusesWithAReasonAndKeepsWhatItHas) {
  gated_->Close();
  std::atomic<int> answered{0};
  int accepted = 0;
  absl::Status status;
  for (int i = 0; i < 20'000 && status.ok(); ++i) {
    status = Submit(Contact(absl::StrCat("r-", i), "c-1", "liu"), [&](Outcome o) {
      EXPECT_TRUE(o.ok()) << o.status();
      ++answered;
    });
    accepted += status.ok();
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  gated_->Open();
  sequencer_->Stop();
  EXPECT_EQ(answered.load(), accepted);
}

TEST_F(SequencerTest, ABusyLedgerDelaysAnotherByNoMoreThanItsTurn) {
  CreateLedger("quiet");
  sequencing_.jobs_of_turn = 16;
  sequencing_.group_jobs_max = 64;
  Restart();
  gated_->Close();
  ASSERT_TRUE(Submit(Contact("first", "c-1", "liu"), [](Outcome) {}).ok());
  gated_->AwaitCommitAtGate();
  std::atomic<int> busy_answers{0};
  for (int i = 0; i < 1'500; ++i) {
    ASSERT_TRUE(Submit(Contact(absl::StrCat("r-", i), "c-1", "liu"), [&](Outcome) { ++busy_answers; }).ok());
  }
  pb::AppendRequest request = Contact("q-1", "c-1", "liu");
  request.set_ledger("quiet");
  std::promise<int> answered_before;
  ASSERT_TRUE(Submit(request, [&](Outcome o) {
                EXPECT_TRUE(o.ok()) << o.status();
                answered_before.set_value(busy_answers.load());
              }).ok());
  gated_->Open();
  // Two groups were full before it came, beside the one at the gate; then it waits for a turn, not for the queue.
  EXPECT_LE(answered_before.get_future().get(), 1 + 3 * (64 + 16));
  sequencer_->Stop();
  EXPECT_EQ(busy_answers.load(), 1'500);
}

TEST_F(SequencerTest, AnImportCountsByItsProducer) {
  const auto imported = [](uint64_t number) {
    pb::AppendRequest request = Contact("", "c-1", "");
    request.mutable_events(0)->mutable_event()->mutable_evidence()->set_source("file");
    request.mutable_events(0)->mutable_event()->mutable_evidence()->set_record_number(number);
    return request;
  };
  ASSERT_TRUE(Append(imported(1), "import:file", 1).ok());
  ASSERT_TRUE(Append(imported(2), "import:file", 2).ok());
  const Outcome again = Append(imported(2), "import:file", 2);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->replayed());
  EXPECT_EQ(Position(), 4u);
  Restart();
  EXPECT_EQ(log_->Producer(log_->FindLedger("l")->number, "import:file")->first, 2u);
  EXPECT_TRUE(Append(imported(1), "import:file", 1)->replayed());
}

TEST_F(SequencerTest, ASimulatedLedgersTimeIsTheCallersAndNeverDecreases) {
  CreateLedger("what-if", /*simulated=*/true);
  const auto at = [](const std::string& id, int64_t seconds) {
    pb::AppendRequest request = Registration(id, id, "liu");
    request.set_ledger("what-if");
    request.mutable_recorded_time()->set_seconds(seconds);
    request.mutable_events(0)->mutable_event()->mutable_occurred_time()->mutable_time()->set_seconds(seconds);
    return request;
  };
  const Outcome first = Append(at("a", 1'000));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(first->simulated());
  EXPECT_EQ(first->recorded_time().seconds(), 1'000);
  EXPECT_EQ(ReasonOf(Append(at("b", 999)).status()), "TIME_DECREASES");
  EXPECT_TRUE(Append(at("c", 1'000)).ok());
  pb::AppendRequest real = Registration("d", "d", "liu");
  real.mutable_recorded_time()->set_seconds(5);
  EXPECT_EQ(ReasonOf(Append(real).status()), "RECORDED_TIME_REFUSED");
}

TEST_F(SequencerTest, AnAliasesEventsConcernTheFirstCustomerUntilTheyAreUnmerged) {
  ASSERT_TRUE(Append(Registration("r-1", "c-1", "liu", "13800138000")).ok());
  ASSERT_TRUE(Append(Registration("r-2", "c-2", "chen", "13800138000")).ok());
  // chen does not own c-1, so may not propose to hand it over under either id.
  const auto propose = [](const std::string& id, const std::string& customer, const std::string& by) {
    pb::AppendRequest request = Request(id, customer);
    pb::TransferProposed& proposed = *request.mutable_events(0)->mutable_event()->mutable_transfer_proposed();
    proposed.set_customer_id(customer);
    proposed.set_transfer_id("t-" + id);
    proposed.mutable_from()->set_staff_id(by);
    proposed.mutable_to()->set_staff_id("wang");
    proposed.set_proposed_by(by);
    return request;
  };
  EXPECT_FALSE(Append(propose("p-1", "c-2", "chen")).ok());
  pb::AppendRequest unmerge = Request("u-1", "c-1");
  pb::SubjectCheck& check = *unmerge.add_checks();
  check.mutable_subject()->set_kind(pb::SUBJECT_KIND_CUSTOMER);
  check.mutable_subject()->set_id("c-2");
  check.mutable_exists();
  pb::CustomersUnmerged& unmerged = *unmerge.mutable_events(0)->mutable_event()->mutable_customers_unmerged();
  unmerged.set_customer_id("c-1");
  unmerged.set_absorbed_customer_id("c-2");
  const Outcome outcome = Append(unmerge);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  // On its own, c-2 is chen's.
  const Outcome own = Append(propose("p-2", "c-2", "chen"));
  EXPECT_TRUE(own.ok()) << own.status();
}

pb::AppendRequest Correction(const std::string& id, uint64_t target, const pb::Event* right) {
  pb::AppendRequest request = Request(id, "c-1");
  pb::EventCorrected& corrected = *request.mutable_events(0)->mutable_event()->mutable_event_corrected();
  corrected.set_customer_id("c-1");
  corrected.set_target_position(target);
  corrected.set_approved_by("boss");
  if (right != nullptr) *corrected.mutable_right_event() = *right;
  return request;
}

TEST_F(SequencerTest, ACorrectionPassesWhatItsEventWouldHaveToPass) {
  const Outcome registered = Append(Registration("r-1", "c-1", "liu"));
  ASSERT_TRUE(registered.ok()) << registered.status();
  const uint64_t target = registered->position().position();
  const pb::Event wrong = RecordAt(target).event();

  pb::Event ahead = wrong;
  ahead.mutable_occurred_time()->mutable_time()->set_seconds(6'900'000'000);
  EXPECT_EQ(ReasonOf(Append(Correction("k-1", target, &ahead)).status()), "BAD_TIME");
  pb::Event evidence = wrong;
  evidence.mutable_evidence()->mutable_recorded_owner()->set_staff_id("wang");
  EXPECT_EQ(ReasonOf(Append(Correction("k-2", target, &evidence)).status()), "BAD_CORRECTION");
  pb::Event other_type = wrong;
  other_type.mutable_contact_logged()->set_customer_id("c-1");
  EXPECT_EQ(ReasonOf(Append(Correction("k-3", target, &other_type)).status()), "BAD_CORRECTION");
  EXPECT_EQ(ReasonOf(Append(Correction("k-4", 99, nullptr)).status()), "NO_SUCH_EVENT");
  pb::Event right = wrong;
  right.mutable_customer_registered()->set_registrar_id("chen");
  const Outcome corrected = Append(Correction("k-5", target, &right));
  EXPECT_TRUE(corrected.ok()) << corrected.status();
}

TEST_F(SequencerTest, WhoIsWhoIsNotCorrectedAwayAndNobodyUnknownIsMerged) {
  ASSERT_TRUE(Append(Registration("r-1", "c-1", "liu", "13800138000")).ok());
  const Outcome joined = Append(Registration("r-2", "c-2", "chen", "13800138000"));
  ASSERT_TRUE(joined.ok());
  EXPECT_EQ(ReasonOf(Append(Correction("k-1", joined->events(1).position(), nullptr)).status()),
            "MERGE_NEEDS_UNMERGE");
  pb::AppendRequest merge = Request("m-1", "c-1");
  pb::SubjectCheck& check = *merge.add_checks();
  check.mutable_subject()->set_kind(pb::SUBJECT_KIND_CUSTOMER);
  check.mutable_subject()->set_id("c-9");
  check.mutable_any();
  pb::CustomersMerged& merged = *merge.mutable_events(0)->mutable_event()->mutable_customers_merged();
  merged.set_customer_id("c-1");
  merged.set_absorbed_customer_id("c-9");
  EXPECT_EQ(ReasonOf(Append(merge).status()), "CUSTOMER_NOT_FOUND");
}

TEST_F(SequencerTest, AHandOverIsJudgedWhereItWillStand) {
  const Outcome registered = Append(Registration("r-1", "c-1", "liu"));
  ASSERT_TRUE(registered.ok());
  const auto propose = [&](const std::string& id, int64_t seconds) {
    pb::AppendRequest request = Request(id, "c-1");
    pb::Event& proposal = *request.mutable_events(0)->mutable_event();
    proposal.mutable_occurred_time()->mutable_time()->set_seconds(seconds);
    proposal.mutable_transfer_proposed()->set_customer_id("c-1");
    proposal.mutable_transfer_proposed()->set_transfer_id("t-" + id);
    proposal.mutable_transfer_proposed()->mutable_from()->set_staff_id("liu");
    proposal.mutable_transfer_proposed()->mutable_to()->set_staff_id("wang");
    proposal.mutable_transfer_proposed()->set_proposed_by("liu");
    return request;
  };
  // Half a minute before liu owned anything: accepted, it would do nothing.
  const Outcome early = Append(propose("early", registered->recorded_time().seconds() - 30));
  EXPECT_FALSE(early.ok());
  // Stamped with the whole second of the registration: it stands behind it.
  const Outcome same_second = Append(propose("same", registered->recorded_time().seconds()));
  ASSERT_TRUE(same_second.ok()) << same_second.status();
  pb::AppendRequest accept = Request("a-1", "c-1");
  pb::Event& acceptance = *accept.mutable_events(0)->mutable_event();
  acceptance.mutable_occurred_time()->mutable_time()->set_seconds(registered->recorded_time().seconds());
  acceptance.mutable_transfer_accepted()->set_customer_id("c-1");
  acceptance.mutable_transfer_accepted()->set_transfer_id("t-same");
  acceptance.mutable_transfer_accepted()->set_receiver_id("wang");
  const Outcome outcome = Append(accept);
  EXPECT_TRUE(outcome.ok()) << outcome.status();
}

TEST_F(SequencerTest, TheSameCustomerIdInTwoLedgersNeverMeets) {
  CreateLedger("m");
  ASSERT_TRUE(Append(Registration("r-1", "c-1", "liu", "13800138000")).ok());
  pb::AppendRequest other = Registration("r-1", "c-1", "chen", "13800138000");
  other.set_ledger("m");
  const Outcome outcome = Append(other);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_FALSE(outcome->replayed());
  EXPECT_FALSE(outcome->events(0).has_joined());
  EXPECT_EQ(outcome->events(0).subjects(0).version(), 1u);
}

TEST_F(SequencerTest, AnIdThatIsAPhoneNumberIsRefused) {
  EXPECT_EQ(ReasonOf(Append(Registration("r-1", "+8613800138000", "liu")).status()), "ID_IS_CONTACT_POINT");
  EXPECT_EQ(ReasonOf(Append(Registration("r-2", "liu@example.com", "liu")).status()), "ID_IS_CONTACT_POINT");
  EXPECT_EQ(ReasonOf(Append(Registration("r-3", "tel:+8613800138000", "liu")).status()),
            "ID_IS_CONTACT_POINT");
}

TEST_F(SequencerTest, PositionsAndVersionsStayDenseUnderManyWriters) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::vector<std::thread> writers;
  std::atomic<int> accepted{0};
  for (unsigned w = 0; w < 8; ++w) {
    writers.emplace_back([this, w, seed, &accepted] {
      std::mt19937 random(seed + w);
      for (int i = 0; i < 100; ++i) {
        const std::string customer = absl::StrCat("c-", random() % 10);
        accepted += Append(Contact(absl::StrCat(w, "-", i), customer, "liu")).ok();
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(accepted.load(), 800);
  EXPECT_EQ(Position(), 802u);
  std::map<std::string, uint64_t> versions;
  for (uint64_t position = 3; position <= Position(); ++position) {
    const pb::Record record = RecordAt(position);
    const pb::SubjectVersion& subject = record.header().subjects(0);
    EXPECT_EQ(subject.version(), ++versions[subject.subject().id()]);
  }
}

}  // namespace
}  // namespace ledger::services
