#include "tools/json_text.h"

namespace sinter {

std::string json_text(const nlohmann::ordered_json &json) {
  return json.dump(2, ' ', /*ensure_ascii=*/false,
                   nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace sinter
