# Counts the lines that run in cache/, server/ and src/; what they stand on, and the tests, stay as they are shipped.
foreach(library lacquer_cache lacquer_server lacquer_media lacquer_library_db lacquer_core)
  target_compile_options(${library} PRIVATE --coverage -fprofile-update=atomic -O1)
  target_link_options(${library} PUBLIC --coverage)
endforeach()
