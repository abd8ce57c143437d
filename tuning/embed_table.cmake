# cmake -DTABLE=FILE -DHEADER=FILE -P embed_table.cmake: the bytes of a file as a C++ array.
file(READ ${TABLE} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${HEADER} "#pragma once\n\nnamespace sinter {\n\n"
  "inline constexpr char kShippedTable[] = {${bytes}};\n\n} // namespace sinter\n")
