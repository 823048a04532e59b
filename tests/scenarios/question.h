#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "customerledger/v1/common.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "tests/scenarios/fields.h"
#include "tests/scenarios/scenario.h"

// What an ask line means: which method of QueryService it calls, with which request, and what the answer must say.
// Any method can be asked by its name; owner, tier, callback, credit and disputed have words of their own. Pure; any
// thread.
namespace ledger::scenarios {

// A question ready to be put.
struct Question {
  std::string method;  // "/customerledger.v1.QueryService/GetOwner"
  std::unique_ptr<google::protobuf::Message> request;
  std::unique_ptr<google::protobuf::Message> response;  // empty; to be parsed into
  bool any_instant = false;  // false: a list, which can only be asked about the present
  bool refusal_expected = false;
  std::vector<Word> refusal;  // reasons and rule ids that the refusal must name
};

// The question of `ask`. Everything that makes no sense is appended to `problems`, including answers that no answer
// could ever give; the question is then incomplete. The request lacks the ledger and the position.
Question BuildQuestion(const Ask& ask, Reading reading, std::vector<Problem>* problems);

// Puts the ledger's name and the position that the answer must count into the request.
void Address(const std::string& ledger, const customerledger::v1::PositionToken& position,
             google::protobuf::Message* request);

// What `response` says otherwise than `ask` expects: one text for each expectation that does not hold. Requires:
// BuildQuestion found no problem.
std::vector<std::string> CheckAnswer(const Ask& ask, Reading reading,
                                     const google::protobuf::Message& response);

}  // namespace ledger::scenarios
