module keyturn-sample

go 1.19
