# Every header compiles alone: one generated source per header, in a library that nothing links.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
  ${CMAKE_SOURCE_DIR}/thread/*.h ${CMAKE_SOURCE_DIR}/dsp/*.h ${CMAKE_SOURCE_DIR}/cache/*.h ${CMAKE_SOURCE_DIR}/server/*.h ${CMAKE_SOURCE_DIR}/src/*.h)
foreach(header ${headers})
  string(REPLACE / _ name ${header})
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/headers/${name}.cpp CONTENT "#include \"${header}\"\n")
  list(APPEND lone_headers ${CMAKE_BINARY_DIR}/headers/${name}.cpp)
endforeach()
add_library(lone_headers OBJECT ${lone_headers})
target_link_libraries(lone_headers PRIVATE lacquer_core)
