import { runScript } from '@ingesta/kit';
import description from '../source.json';
import { postgresql } from './source';

void runScript(postgresql, description);
