#include "services/ctl/output/describe.h"

#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "customerledger/v1/policy.pb.h"
#include "customerledger/v1/time.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/timestamp.pb.h"

namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string DescribeMessage(Session& session, const Message& message) {
  const auto* type = message.GetDescriptor();
  if (type == pb::Owner::descriptor()) return Describe(static_cast<const pb::Owner&>(message));
  if (type == pb::Subject::descriptor()) return Describe(static_cast<const pb::Subject&>(message));
  if (type == pb::ZonedTime::descriptor()) {
    return session.Show(static_cast<const pb::ZonedTime&>(message).time());
  }
  if (type == google::protobuf::Timestamp::descriptor()) {
    return session.Show(static_cast<const google::protobuf::Timestamp&>(message));
  }
  // A whole policy would fill the screen; 'policy show' prints it.
  if (type == pb::Policy::descriptor()) return static_cast<const pb::Policy&>(message).id();
  return absl::StrCat("{", DescribeFields(session, message), "}");
}

// The value of `field`, or its element `index` if it is repeated (otherwise -1).
std::string DescribeValue(Session& session, const Message& message, const FieldDescriptor* field, int index) {
  const auto* reflection = message.GetReflection();
  const bool repeated = index >= 0;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return DescribeMessage(session, repeated ? reflection->GetRepeatedMessage(message, field, index)
                                               : reflection->GetMessage(message, field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumName(field->enum_type(), repeated ? reflection->GetRepeatedEnumValue(message, field, index)
                                                   : reflection->GetEnumValue(message, field));
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = repeated ? reflection->GetRepeatedString(message, field, index)
                                        : reflection->GetString(message, field);
      return field->type() == FieldDescriptor::TYPE_BYTES ? absl::BytesToHexString(text) : text;
    }
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(repeated ? reflection->GetRepeatedInt64(message, field, index)
                                   : reflection->GetInt64(message, field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrCat(repeated ? reflection->GetRepeatedUInt64(message, field, index)
                                   : reflection->GetUInt64(message, field));
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(repeated ? reflection->GetRepeatedInt32(message, field, index)
                                   : reflection->GetInt32(message, field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return absl::StrCat(repeated ? reflection->GetRepeatedUInt32(message, field, index)
                                   : reflection->GetUInt32(message, field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return "yes";  // false is not set, and so not listed
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      break;  // the contract has none
  }
  return "?";
}

}  // namespace

std::string Describe(const pb::Owner& owner) {
  if (owner.owner_case() == pb::Owner::OWNER_NOT_SET) return "nobody";
  std::string text = OwnerText(owner);
  if (owner.level() != pb::OWNER_LEVEL_UNSPECIFIED) {
    absl::StrAppend(&text, " (", EnumName(pb::OwnerLevel_descriptor(), owner.level()), ")");
  }
  return text;
}

std::string RuleOf(const pb::Basis& basis) {
  if (basis.rule_id().empty()) return "";
  std::string text = basis.rule_id();
  if (basis.policy_version() > 0) absl::StrAppend(&text, " (policy version ", basis.policy_version(), ")");
  if (basis.concurring_rule_ids_size() > 0) {
    absl::StrAppend(&text, ", also ", absl::StrJoin(basis.concurring_rule_ids(), ", "));
  }
  return text;
}

std::string PositionsOf(const pb::Basis& basis) { return absl::StrJoin(basis.positions(), ", "); }

std::string Describe(const pb::Subject& subject) {
  return absl::StrCat(EnumName(pb::SubjectKind_descriptor(), subject.kind()), " ", subject.id());
}

std::string DescribeFields(Session& session, const Message& message, absl::string_view leave_out) {
  std::vector<const FieldDescriptor*> fields;
  const auto* reflection = message.GetReflection();
  reflection->ListFields(message, &fields);
  std::vector<std::string> parts;
  for (const FieldDescriptor* field : fields) {
    if (absl::string_view(field->name()) == leave_out) continue;
    std::string value;
    if (field->is_repeated()) {
      std::vector<std::string> values;
      const int count = reflection->FieldSize(message, field);
      values.reserve(static_cast<size_t>(count));
      for (int i = 0; i < count; ++i) values.push_back(DescribeValue(session, message, field, i));
      value = absl::StrCat("[", absl::StrJoin(values, ", "), "]");
    } else {
      value = DescribeValue(session, message, field, -1);
    }
    parts.push_back(absl::StrCat(field->name(), "=", value));
  }
  return absl::StrJoin(parts, ", ");
}

}  // namespace ledger::ctl
