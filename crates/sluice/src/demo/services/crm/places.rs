//! Where the customers live and what they are called there.
//!
//! Common given and family names, put together at random: nobody in particular.

/// A country with its names and cities.
#[derive(Clone, Copy)]
pub(super) struct Country {
    /// ISO 3166-1 alpha-2.
    pub(super) code: &'static str,
    pub(super) given: &'static [&'static str],
    pub(super) family: &'static [&'static str],
    pub(super) cities: &'static [City],
}

/// A city and the middle of it, in steps of 0.00001 degrees.
#[derive(Clone, Copy)]
pub(super) struct City {
    pub(super) name: &'static str,
    pub(super) lat_e5: i64,
    pub(super) lon_e5: i64,
}

const fn city(name: &'static str, lat_e5: i64, lon_e5: i64) -> City {
    City { name, lat_e5, lon_e5 }
}

/// Listed as often as customers come from there.
pub(super) const COUNTRIES: [Country; 10] =
    [GERMANY, GERMANY, FRANCE, FRANCE, ITALY, SPAIN, POLAND, NETHERLANDS, SWEDEN, AUSTRIA];

const GERMANY: Country = Country {
    code: "DE",
    given: &[
        "Anna", "Lukas", "Mia", "Jonas", "Lea", "Felix", "Hannah", "Paul", "Jürgen", "Katrin", "Sabine", "Stefan",
        "Ayşe", "Mehmet", "Monika", "Thomas", "Svenja", "Björn",
    ],
    family: &[
        "Müller",
        "Schmidt",
        "Schneider",
        "Fischer",
        "Weber",
        "Wagner",
        "Becker",
        "Hoffmann",
        "Schäfer",
        "Koch",
        "Richter",
        "Klein",
        "Wolf",
        "Schröder",
        "Neumann",
        "Yılmaz",
        "Krüger",
        "Hartmann",
        "Lange",
        "Vogel",
    ],
    cities: &[
        city("Berlin", 5_252_001, 1_340_495),
        city("Hamburg", 5_355_108, 999_368),
        city("München", 4_813_743, 1_157_549),
        city("Köln", 5_093_753, 696_028),
        city("Leipzig", 5_133_970, 1_237_307),
        city("Nürnberg", 4_945_203, 1_107_675),
        city("Freiburg", 4_799_900, 784_210),
    ],
};

const FRANCE: Country = Country {
    code: "FR",
    given: &[
        "Camille", "Lucas", "Chloé", "Hugo", "Manon", "Louis", "Léa", "Nathan", "Inès", "Mathieu", "Élodie", "Julien",
        "Amina", "Karim", "Sylvie", "Gérard",
    ],
    family: &[
        "Martin",
        "Bernard",
        "Dubois",
        "Thomas",
        "Robert",
        "Petit",
        "Durand",
        "Leroy",
        "Moreau",
        "Simon",
        "Lefèvre",
        "Garnier",
        "Faure",
        "Benali",
        "Rousseau",
        "Chevalier",
        "Gauthier",
    ],
    cities: &[
        city("Paris", 4_885_661, 235_222),
        city("Lyon", 4_576_404, 483_566),
        city("Toulouse", 4_360_465, 144_421),
        city("Nantes", 4_721_837, -155_362),
        city("Lille", 5_062_925, 305_726),
        city("Bordeaux", 4_483_779, -57_918),
        city("Grenoble", 4_518_853, 572_452),
    ],
};

const ITALY: Country = Country {
    code: "IT",
    given: &[
        "Giulia",
        "Francesco",
        "Sofia",
        "Alessandro",
        "Martina",
        "Lorenzo",
        "Chiara",
        "Matteo",
        "Elena",
        "Davide",
        "Niccolò",
        "Paola",
        "Antonio",
        "Federica",
    ],
    family: &[
        "Rossi", "Russo", "Ferrari", "Esposito", "Bianchi", "Romano", "Colombo", "Ricci", "Marino", "Greco", "Bruno",
        "Gallo", "Conti", "De Luca", "Costa", "Giordano",
    ],
    cities: &[
        city("Roma", 4_190_278, 1_249_637),
        city("Milano", 4_546_427, 918_951),
        city("Torino", 4_507_035, 768_682),
        city("Bologna", 4_449_493, 1_134_262),
        city("Firenze", 4_376_956, 1_125_581),
        city("Verona", 4_543_839, 1_099_158),
    ],
};

const SPAIN: Country = Country {
    code: "ES",
    given: &[
        "Lucía", "Hugo", "María", "Martín", "Paula", "Daniel", "Carmen", "Javier", "Marta", "Álvaro", "Nuria", "Íñigo",
        "Rosa", "Sergio",
    ],
    family: &[
        "García",
        "Fernández",
        "González",
        "Rodríguez",
        "López",
        "Martínez",
        "Sánchez",
        "Pérez",
        "Gómez",
        "Ruiz",
        "Díaz",
        "Muñoz",
        "Navarro",
        "Iglesias",
        "Ortega",
        "Castro",
    ],
    cities: &[
        city("Madrid", 4_041_678, -370_379),
        city("Sevilla", 3_738_926, -598_448),
        city("Zaragoza", 4_164_882, -88_909),
        city("Valladolid", 4_165_226, -472_453),
        city("Granada", 3_717_734, -359_856),
        city("Bilbao", 4_326_300, -293_500),
    ],
};

const POLAND: Country = Country {
    code: "PL",
    given: &[
        "Zofia",
        "Jakub",
        "Julia",
        "Antoni",
        "Maja",
        "Szymon",
        "Agnieszka",
        "Piotr",
        "Katarzyna",
        "Tomasz",
        "Małgorzata",
        "Paweł",
        "Ewa",
        "Krzysztof",
    ],
    family: &[
        "Nowak",
        "Wójcik",
        "Mazur",
        "Krawczyk",
        "Zając",
        "Król",
        "Wieczorek",
        "Wróbel",
        "Stępień",
        "Dudek",
        "Pawlak",
        "Sikora",
        "Baran",
        "Szewczyk",
        "Pietrzak",
        "Duda",
    ],
    cities: &[
        city("Warszawa", 5_222_968, 2_101_223),
        city("Kraków", 5_006_465, 1_994_498),
        city("Wrocław", 5_110_789, 1_703_854),
        city("Poznań", 5_240_637, 1_692_517),
        city("Łódź", 5_175_925, 1_945_598),
        city("Lublin", 5_124_645, 2_256_845),
    ],
};

const NETHERLANDS: Country = Country {
    code: "NL",
    given: &[
        "Emma", "Daan", "Julia", "Sem", "Sanne", "Bram", "Fleur", "Thijs", "Anouk", "Jeroen", "Marieke", "Pieter",
        "Fatima", "Youssef",
    ],
    family: &[
        "de Jong",
        "Jansen",
        "de Vries",
        "van den Berg",
        "Bakker",
        "van Dijk",
        "Visser",
        "Smit",
        "Meijer",
        "Mulder",
        "de Boer",
        "Bos",
        "Vos",
        "Hendriks",
        "El Amrani",
        "Dekker",
    ],
    cities: &[
        city("Utrecht", 5_209_083, 512_222),
        city("Eindhoven", 5_144_083, 547_778),
        city("Groningen", 5_321_917, 656_667),
        city("Amersfoort", 5_215_500, 538_750),
        city("Rotterdam", 5_192_250, 447_917),
        city("Nijmegen", 5_184_250, 585_278),
    ],
};

const SWEDEN: Country = Country {
    code: "SE",
    given: &[
        "Alice", "William", "Elsa", "Liam", "Astrid", "Oskar", "Karin", "Lars", "Åsa", "Göran", "Linnéa", "Mikael",
        "Amira", "Henrik",
    ],
    family: &[
        "Andersson",
        "Johansson",
        "Karlsson",
        "Nilsson",
        "Eriksson",
        "Larsson",
        "Olsson",
        "Persson",
        "Svensson",
        "Gustafsson",
        "Lindberg",
        "Lindström",
        "Bergqvist",
        "Holm",
        "Sjögren",
        "Åkesson",
    ],
    cities: &[
        city("Stockholm", 5_932_932, 1_806_858),
        city("Göteborg", 5_770_887, 1_197_456),
        city("Uppsala", 5_985_882, 1_763_889),
        city("Linköping", 5_841_086, 1_562_157),
        city("Örebro", 5_927_412, 1_520_660),
    ],
};

const AUSTRIA: Country = Country {
    code: "AT",
    given: &[
        "Marie",
        "Maximilian",
        "Laura",
        "Florian",
        "Theresa",
        "Johannes",
        "Magdalena",
        "Clemens",
        "Birgit",
        "Wolfgang",
        "Ivana",
        "Dragan",
    ],
    family: &[
        "Gruber",
        "Huber",
        "Bauer",
        "Wagner",
        "Pichler",
        "Steiner",
        "Moser",
        "Mayer",
        "Hofer",
        "Leitner",
        "Fuchs",
        "Eder",
        "Reiter",
        "Jovanović",
        "Winkler",
        "Aigner",
    ],
    cities: &[
        city("Wien", 4_820_849, 1_637_208),
        city("Graz", 4_707_071, 1_543_950),
        city("Linz", 4_830_639, 1_428_611),
        city("Salzburg", 4_780_949, 1_305_501),
        city("Innsbruck", 4_726_266, 1_139_454),
    ],
};
