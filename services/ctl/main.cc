#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "services/ctl/run.h"

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  ledger::ctl::Environment environment{&std::cin, &std::cout, &std::cerr, isatty(STDERR_FILENO) == 1};
  return ledger::ctl::RunLedgerctl(std::vector<std::string>(argv + 1, argv + argc), environment);
}
