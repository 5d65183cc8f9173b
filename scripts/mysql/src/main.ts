import { runScript } from '@ingesta/kit';
import description from '../source.json';
import { mysql } from './source';

void runScript(mysql, description);
