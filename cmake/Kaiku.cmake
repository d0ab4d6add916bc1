# How a folder becomes a library.
#
#   kaiku_library(NAME FOLDER folder PREFIX prefix SOURCES ... LINKS ... PRIVATE_LINKS ...)
#
# The folder's headers are reached as "kaiku/<prefix>/...", and only by targets that link the library: each library has
# an include root of its own in the build tree, holding nothing but a link to its folder. So an include that
# docs/architecture.md does not allow does not compile.

add_library(kaiku_options INTERFACE)
target_compile_features(kaiku_options INTERFACE cxx_std_20)
target_compile_options(kaiku_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
  -Wold-style-cast -Woverloaded-virtual -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 takes `"text" + std::string` for an overlapping copy when it optimises (GCC bug 105651).
  target_compile_options(kaiku_options INTERFACE -Wno-restrict)
endif()
target_compile_definitions(kaiku_options INTERFACE KAIKU_VERSION="${PROJECT_VERSION}")
if(KAIKU_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Asio's fences, which the thread sanitizer does not follow.
  target_compile_options(kaiku_options INTERFACE -Wno-tsan)
endif()
if(KAIKU_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # Instrumented, only one half of the pair of operators of Asio's coroutine frames is inlined (GCC bug 103993).
  target_compile_options(kaiku_options INTERFACE -Wno-mismatched-new-delete)
endif()
if(KAIKU_SANITIZE)
  target_compile_options(kaiku_options INTERFACE -fsanitize=${KAIKU_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(kaiku_options INTERFACE -fsanitize=${KAIKU_SANITIZE})
endif()

function(kaiku_library name)
  cmake_parse_arguments(arg "" "FOLDER;PREFIX" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  set(root "${CMAKE_BINARY_DIR}/include/${name}")
  file(MAKE_DIRECTORY "${root}/kaiku")
  file(CREATE_LINK "${PROJECT_SOURCE_DIR}/${arg_FOLDER}" "${root}/kaiku/${arg_PREFIX}" SYMBOLIC)
  list(TRANSFORM arg_SOURCES PREPEND "${PROJECT_SOURCE_DIR}/${arg_FOLDER}/")
  if(arg_SOURCES)
    add_library(${name} STATIC ${arg_SOURCES})
    target_include_directories(${name} PUBLIC "${root}")
    target_link_libraries(${name} PUBLIC ${arg_LINKS} PRIVATE kaiku_options ${arg_PRIVATE_LINKS})
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE "${root}")
    target_link_libraries(${name} INTERFACE ${arg_LINKS})
  endif()
endfunction()
