# tasuki_embed(TARGET NAME GLOB patterns...): turns files into C arrays linked into TARGET.
# Each file is looked up by its path in the tree:  const struct asset *NAME_find("storage/schema/x.sql")
# (see base/asset.h). So the one binary needs no files beside it.
function(tasuki_embed target name)
  cmake_parse_arguments(E "" "" "GLOB" ${ARGN})
  list(TRANSFORM E_GLOB PREPEND "${CMAKE_SOURCE_DIR}/")
  file(GLOB files CONFIGURE_DEPENDS ${E_GLOB})
  set(out ${CMAKE_BINARY_DIR}/gen/${name}.c)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -D OUT=${out} -D NAME=${name} -D ROOT=${CMAKE_SOURCE_DIR}
            "-D FILES=${files}" -P ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()
