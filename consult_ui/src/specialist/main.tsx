/** The specialist's page, /s/. */

import "../styles/base.css";
import "../staff/staff.css";
import "./specialist.css";

import { addCatalog } from "../lib/i18n";
import en from "../i18n/specialist.en.json";
import zh from "../i18n/specialist.zh.json";
import { startStaffPage } from "../staff/staff_page";
import { SpecialistDesk } from "./desk";

addCatalog({ en, zh });
startStaffPage({ role: "specialist", titleKey: "page.specialist", elsewhere: "/r/", Page: SpecialistDesk });
