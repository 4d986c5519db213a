// What the pages of the site do in a browser. Without it they lack only search and the
// buttons that copy.

import { offerCopies } from './copy.ts';
import { followContents, offerMenu } from './menus.ts';
import { offerSearch } from './search.ts';

offerMenu();
followContents();
offerCopies();
offerSearch();
