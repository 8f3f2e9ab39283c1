$( A small logic with quantifiers, to test with: three axioms of implication and
   negation, four of quantifiers and equality.  Half of the proofs are normal, half compressed. $)
$c ( ) -> -. A. = wff setvar |- $.
$v ph ps ch th x y z $.
wph $f wff ph $.
wps $f wff ps $.
wch $f wff ch $.
wth $f wff th $.
vx $f setvar x $.
vy $f setvar y $.
vz $f setvar z $.

wn $a wff -. ph $.
wi $a wff ( ph -> ps ) $.
wal $a wff A. x ph $.
weq $a wff x = y $.

${
  ax-mp.1 $e |- ph $.
  ax-mp.2 $e |- ( ph -> ps ) $.
  ax-mp $a |- ps $.
$}
ax-1 $a |- ( ph -> ( ps -> ph ) ) $.
ax-2 $a |- ( ( ph -> ( ps -> ch ) ) -> ( ( ph -> ps ) -> ( ph -> ch ) ) ) $.
ax-3 $a |- ( ( -. ph -> -. ps ) -> ( ps -> ph ) ) $.
${
  ax-gen.1 $e |- ph $.
  ax-gen $a |- A. x ph $.
$}
ax-4 $a |- ( A. x ( ph -> ps ) -> ( A. x ph -> A. x ps ) ) $.
${
  $d x ph $.
  $( What says nothing about ` x ` holds for all. $)
  ax-5 $a |- ( ph -> A. x ph ) $.
$}
ax-6 $a |- ( A. x ph -> ph ) $.
ax-7 $a |- ( x = y -> ( x = z -> y = z ) ) $.

${
  a1i.1 $e |- ph $.
  a1i $p |- ( ps -> ph ) $=
      ( wi ax-1 ax-mp ) ABADCABEF $.
$}

${
  a2i.1 $e |- ( ph -> ( ps -> ch ) ) $.
  a2i $p |- ( ( ph -> ps ) -> ( ph -> ch ) ) $=
      wph wps wch wi wi wph wps wi wph wch wi wi a2i.1 wph wps wch ax-2 ax-mp $.
$}

${
  mpd.1 $e |- ( ph -> ps ) $.
  mpd.2 $e |- ( ph -> ( ps -> ch ) ) $.
  mpd $p |- ( ph -> ch ) $=
      ( wi a2i ax-mp ) ABFACFDABCEGH $.
$}

${
  syl.1 $e |- ( ph -> ps ) $.
  syl.2 $e |- ( ps -> ch ) $.
  syl $p |- ( ph -> ch ) $=
      wph wps wch syl.1 wps wch wi wph syl.2 a1i mpd $.
$}

id $p |- ( ph -> ph ) $=
    ( wi ax-1 mpd ) AAABZAAACAECD $.

${
  mp2.1 $e |- ph $.
  mp2.2 $e |- ps $.
  mp2.3 $e |- ( ph -> ( ps -> ch ) ) $.
  mp2 $p |- ch $=
      wps wch mp2.2 wph wps wch wi mp2.1 mp2.3 ax-mp ax-mp $.
$}

${
  com12.1 $e |- ( ph -> ( ps -> ch ) ) $.
  com12 $p |- ( ps -> ( ph -> ch ) ) $=
      ( wi ax-1 a2i syl ) BABEACEBAFABCDGH $.
$}

${
  pm2.43i.1 $e |- ( ph -> ( ph -> ps ) ) $.
  pm2.43i $p |- ( ph -> ps ) $=
      wph wph wps wph id pm2.43i.1 mpd $.
$}

${
  imim2i.1 $e |- ( ph -> ps ) $.
  imim2i $p |- ( ( ch -> ph ) -> ( ch -> ps ) ) $=
      ( wi a1i a2i ) CABABECDFG $.
$}

${
  syl5.1 $e |- ( ph -> ps ) $.
  syl5.2 $e |- ( ch -> ( ps -> th ) ) $.
  syl5 $p |- ( ch -> ( ph -> th ) ) $=
      wph wch wth wph wps wch wth wi syl5.1 wch wps wth syl5.2 com12 syl com12 $.
$}

pm2.21 $p |- ( -. ph -> ( ph -> ps ) ) $=
    ( wn wi ax-1 ax-3 syl ) ACZBCZHDABDHIEBAFG $.

pm2.18 $p |- ( ( -. ph -> ph ) -> ph ) $=
    wph wn wph wi wph wph wn wph wi wph wn wph wn wph wi wn wi wph wn wph wi
    wph wi wph wn wph wph wn wph wi wn wph wph wn wph wi wn pm2.21 a2i wph wph
    wn wph wi ax-3 syl pm2.43i $.

notnotr $p |- ( -. -. ph -> ph ) $=
    ( wn wi pm2.21 pm2.18 syl ) ABZBGACAGADAEF $.

notnot $p |- ( ph -> -. -. ph ) $=
    wph wn wn wn wph wn wi wph wph wn wn wi wph wn notnotr wph wn wn wph ax-3
    ax-mp $.

${
  con3i.1 $e |- ( ph -> ps ) $.
  con3i $p |- ( -. ps -> -. ph ) $=
      ( wn wi syl notnotr notnot ax-3 ax-mp ) ADZDZBDZDZEMKELBNLABAGCFBHFKMIJ $.
$}

${
  alimi.1 $e |- ( ph -> ps ) $.
  alimi $p |- ( A. x ph -> A. x ps ) $=
      wph wps wi vx wal wph vx wal wps vx wal wi wph wps wi vx alimi.1 ax-gen wph
      wps vx ax-4 ax-mp $.
$}

${
  al2imi.1 $e |- ( ph -> ( ps -> ch ) ) $.
  al2imi $p |- ( A. x ph -> ( A. x ps -> A. x ch ) ) $=
      ( wal wi alimi ax-4 syl ) ADFBCGZDFBDFCDFGAKDEHBCDIJ $.
$}

${
  $d ph x $.
  alrimiv.1 $e |- ( ph -> ps ) $.
  alrimiv $p |- ( ph -> A. x ps ) $=
      wph wph vx wal wps vx wal wph vx ax-5 wph wps vx alrimiv.1 alimi syl $.
$}

${
  spi.1 $e |- A. x ph $.
  spi $p |- ph $=
      ( wal ax-6 ax-mp ) ABDACABEF $.
$}

${
  $d ph y $.
  iddummy $p |- ( ph -> ph ) $=
      wph wph vy wal wph wph vy ax-5 wph vy ax-6 syl $.
$}

${
  $d ph z $.
  $d x z $.
  $d y z $.
  eqtrdv.1 $e |- ( ph -> x = y ) $.
  eqtrdv $p |- ( ph -> A. z ( x = z -> y = z ) ) $=
      ( weq wi ax-7 syl alrimiv ) ABDFCDFGZDABCFKEBCDHIJ $.
$}

${
  $d ph x $.
  $d ph y $.
  alcomdv $p |- ( ph -> A. x A. y ph ) $=
      wph wph vy wal vx wph vy ax-5 alrimiv $.
$}

${
  $d x z $.
  $d y z $.
  eqalv $p |- ( x = y -> A. z x = y ) $=
      ( weq ax-5 ) ABDCE $.
$}

${
  $d ps y $.
  exdv.1 $e |- ( A. x ph -> ps ) $.
  exdv $p |- ( -. ps -> A. y -. A. x ph ) $=
      wps wn wph vx wal wn vy wph vx wal wps exdv.1 con3i alrimiv $.
$}
