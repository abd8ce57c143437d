# Makes ARCHIVE from OBJECTS and the members of ARCHIVES with ar's own script language. That has no
# quoting, so the build's own files are named relative to the archive's folder: the path to the
# checkout may hold blanks.
get_filename_component(folder ${ARCHIVE} DIRECTORY)
get_filename_component(name ${ARCHIVE} NAME)
file(MAKE_DIRECTORY ${folder})
set(script "CREATE ${name}\n")
foreach(object IN LISTS OBJECTS)
  file(RELATIVE_PATH object ${folder} ${object})
  string(APPEND script "ADDMOD ${object}\n")
endforeach()
foreach(archive IN LISTS ARCHIVES)
  file(RELATIVE_PATH archive ${folder} ${archive})
  string(APPEND script "ADDLIB ${archive}\n")
endforeach()
file(WRITE ${ARCHIVE}.mri "${script}SAVE\nEND\n")
execute_process(COMMAND ${AR} -M INPUT_FILE ${ARCHIVE}.mri WORKING_DIRECTORY ${folder}
  RESULT_VARIABLE result)
file(REMOVE ${ARCHIVE}.mri)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${AR} could not make ${ARCHIVE}")
endif()
