# One set of flags for everything we compile. -ffp-contract=off is part of the contract that a chunk is a pure
# function: a fused multiply-add rounds differently from a multiply and an add.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release or Debug" FORCE)
endif()

find_program(ccache ccache)
find_program(env env)
if(ccache AND env AND NOT LACQUER_COVERAGE) # which wants to know where its objects are
  # What one clone has compiled serves another one.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${env} CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${ccache})
elseif(ccache)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${ccache})
endif()

add_library(lacquer_flags INTERFACE)
target_compile_options(lacquer_flags INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
  -ffp-contract=off -fno-math-errno)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(lacquer_flags INTERFACE -Wthread-safety)
endif()
# g++ 12 sees overlapping copies in std::string where there are none (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(lacquer_flags INTERFACE -Wno-restrict)
endif()
target_include_directories(lacquer_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(lacquer_flags INTERFACE LACQUER_VERSION="${PROJECT_VERSION}")
if(LACQUER_SANITIZE)
  add_compile_options(-fsanitize=${LACQUER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${LACQUER_SANITIZE})
endif()

# lacquer_library(name DIRECTORY dir LIBRARIES ...): every .cpp below `dir`, warnings as errors.
function(lacquer_library name)
  cmake_parse_arguments(arg "" "" "EXCLUDE;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  foreach(excluded ${arg_EXCLUDE})
    list(FILTER sources EXCLUDE REGEX "/${excluded}$")
  endforeach()
  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC lacquer_flags ${arg_LIBRARIES})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE lacquer_flags ${arg_LIBRARIES})
  endif()
endfunction()
