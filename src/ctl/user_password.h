/* tocsinctl user password */
#ifndef CTL_USER_PASSWORD_H
#define CTL_USER_PASSWORD_H

int user_password(int argc, char **argv);

#endif
